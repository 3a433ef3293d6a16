"""The one call that sends a subscribe message.

https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/sendMessage.html
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from app.adapters.identity.errors import TOKEN_REFUSED, WeChatBusy, WeChatMisconfigured
from app.adapters.identity.tokens import AccessTokens, TokenStore
from app.adapters.identity.wire import Unreached, Wire, errcode_of
from app.adapters.messages.outcomes import BUSY, QUOTA, SAME_USER_AT_ONCE, NotNow, Outcome, Refused, Sent, Unknown
from app.adapters.messages.words import Notice

SEND: Final = "/cgi-bin/message/subscribe/send"


class SubscribeMessages:
    """Speaks for one mini-program. Safe to share between threads. Call outside transactions; raises nothing."""

    def __init__(
        self, app_id: str, app_secret: str, base_url: str, now: Callable[[], datetime], token_store: TokenStore,
        state: str = "formal",
    ) -> None:  # fmt: skip
        """`state`: which edition of the mini-program a tap opens: developer, trial or formal."""
        self._wire = Wire(base_url)
        self._tokens = AccessTokens(app_id, app_secret, self._wire, now, token_store)
        self._state = state

    def send(self, notice: Notice) -> Outcome:
        """Send one message, at most once: only a refused token, which certainly sent nothing, is tried again."""
        body = self._body(notice)
        outcome, was_token = self._try(body, self._tokens.current)
        return self._try(body, self._tokens.fetch)[0] if was_token else outcome

    def _body(self, notice: Notice) -> dict[str, Any]:
        return {
            "touser": notice.openid,
            "template_id": notice.template_id,
            "page": notice.page,
            "data": {key: {"value": text} for key, text in notice.values.items()},
            "miniprogram_state": self._state,
            "lang": "zh_CN",
        }

    def _try(self, body: dict[str, Any], token_of: Callable[[], str]) -> tuple[Outcome, bool]:
        """What came of one try, and whether WeChat only disliked our token."""
        try:
            token = token_of()
        except WeChatMisconfigured as wrong:
            return NotNow(wrong.errcode, for_all=True), False
        except WeChatBusy:
            return NotNow(None, for_all=True), False
        try:
            answer = self._wire.post(SEND, body, {"access_token": token})
            errcode = errcode_of(answer)
        except Unreached:
            return NotNow(None, for_all=True), False
        except WeChatBusy:
            return Unknown(), False
        return _meant(errcode, answer), errcode in TOKEN_REFUSED


def _meant(errcode: int, answer: dict[str, Any]) -> Outcome:
    if errcode == 0:
        return Sent(str(answer.get("msgid", "")))
    if errcode in TOKEN_REFUSED | QUOTA | {BUSY}:
        return NotNow(errcode, for_all=True)
    return NotNow(errcode, for_all=False) if errcode == SAME_USER_AT_ONCE else Refused(errcode)
