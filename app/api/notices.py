"""Door for WeChat's notices (回调通知). The signature is the only admission: no session, no limit per address.

WeChat probes with bad signatures on purpose (WeChat Pay v3: merchant/4013053249): they get 401, a count and no page.
It sends again until it gets 200 within 5 s, so 200 is said only after the commit, and any failure is 5xx.
"""

import functools
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, request
from prometheus_client import Counter

from app.web.policy import Policy, View, admits
from payments.charges.actions import apply_notice
from payments.refunds.actions import apply_refund_notice
from payments.wechat import NoticeRejected

REJECTED = Counter(
    "gongbo_wechat_notices_rejected_total", "Notices that WeChat did not prove to be its own", ["reason"]
)

notices = Blueprint("notices", __name__, url_prefix="/wechat/notices")


def _only_wechat(view: View) -> View:
    @functools.wraps(view)
    def guarded(*args: Any, **words: Any) -> Any:
        try:
            g.notice = current_app.extensions["gongbo"].pay.read_notice(dict(request.headers), request.get_data())
        except NoticeRejected as rejection:
            return _reject(rejection.reason)
        return view(*args, **words)

    return guarded


def _reject(reason: str) -> Response:
    REJECTED.labels(reason).inc()
    answer = jsonify(code="FAIL", message="失败")
    answer.status_code = 401
    return answer


WECHAT = Policy("wechat", _only_wechat)
"""WeChat Pay alone, by its signature over the raw body within five minutes."""


@notices.post("/transactions")
@admits(WECHAT)
def transactions() -> Response:
    """A payment that WeChat reports; 200 means that it took effect, or did so before."""
    apply_notice(g.notice)
    return jsonify(code="SUCCESS", message="成功")


@notices.post("/refunds")
@admits(WECHAT)
def refunds() -> Response:
    """What became of a refund; 200 means that it took effect, or did so before."""
    apply_refund_notice(g.notice)
    return jsonify(code="SUCCESS", message="成功")
