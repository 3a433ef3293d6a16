"""Signing in, staying signed in, leaving everywhere."""

from typing import Any

import marshmallow as ma
from flask import request

from app.domain.conduct.actions import sign_in as begin
from app.domain.motorists import actions
from app.domain.motorists.actions import Grant
from app.kernel import clock, crypto
from app.web import limits
from app.web.policy import PUBLIC, admits
from app.web.tokens import LIFETIME, Bearer
from app.wiring import wiring
from miniprogram_api.door import asking, motorist, noun, tokens
from miniprogram_api.fields import Text, Wish

blueprint = noun("sessions", "登录")


class LoginCode(Wish):
    code = Text(required=True, metadata={"description": "wx.login 返回的 code，5 分钟内使用一次"})


class RefreshWish(Wish):
    refresh_token = Text(required=True, metadata={"description": "上次登录或刷新得到的 refresh_token，只能使用一次"})


class Session(ma.Schema):
    access_token = ma.fields.String(required=True)
    token_type = ma.fields.String(required=True, dump_default="Bearer")
    expires_in = ma.fields.Integer(required=True, metadata={"description": "access_token 的有效秒数"})
    refresh_token = ma.fields.String(required=True)
    refresh_expires_at = ma.fields.AwareDateTime(required=True)


@blueprint.post("/sessions")
@admits(PUBLIC)
@blueprint.takes(LoginCode)
@blueprint.gives(201, Session)
@blueprint.refuses(400, 401, 429, 503)
def sign_in(wish: dict[str, Any]) -> dict[str, Any]:
    """微信登录

    login code 本身只能使用一次，因此无需 Idempotency-Key。
    """
    limits.take("10/minute", f"sign-in:{request.remote_addr}")
    wired = wiring()
    person = actions.identify(wish["code"], wired.identity)
    limits.take("5/minute", f"sign-in:{crypto.blind_index('sign-in', person.openid).hex()}")
    return _session(begin(wired.settings.wechat.app_id, person))


@blueprint.post("/sessions/refresh")
@admits(PUBLIC)
@blueprint.takes(RefreshWish)
@blueprint.gives(201, Session)
@blueprint.refuses(400, 401, 429)
def refresh(wish: dict[str, Any]) -> dict[str, Any]:
    """刷新登录

    每次刷新都会换发 refresh_token；十秒内重复提交同一个 refresh_token 得到相同的结果，之后视为泄露，整个登录失效。
    """
    limits.take("30/minute", f"refresh:{request.remote_addr}")
    return _session(actions.refresh(wish["refresh_token"]))


@blueprint.delete("/sessions")
@admits(motorist())
@blueprint.gives(204)
@blueprint.refuses(401, 429)
def log_out() -> None:
    """退出所有设备"""
    actions.log_out_everywhere(asking())


def _session(grant: Grant) -> dict[str, Any]:
    bearer = Bearer(grant.motorist_key, grant.session_version)
    return {
        "access_token": tokens().issue(bearer, clock.now()),
        "token_type": "Bearer",
        "expires_in": int(LIFETIME.total_seconds()),
        "refresh_token": grant.refresh_token,
        "refresh_expires_at": grant.refresh_expires_at,
    }
