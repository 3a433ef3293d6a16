"""The calls that tell us who somebody is, at WeChat's mini-program server API."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.adapters.identity.errors import TOKEN_REFUSED, WeChatBusy, WeChatMisconfigured, refusal
from app.adapters.identity.tokens import AccessTokens, TokenStore
from app.adapters.identity.wire import Unanswered, Wire, errcode_of, text_of

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
WRONG_APP_ID = 40013


@dataclass(frozen=True)
class Identity:
    """A WeChat user as our mini-program sees them; `unionid` is shared with the owner's other apps."""

    openid: str = field(repr=False)
    unionid: str | None = field(default=None, repr=False)


class WeChatMiniProgram:
    """Speaks for one mini-program. Safe to share between threads. Call outside transactions.

    Every call may raise `LoginCodeRefused`, `WeChatBusy` or `WeChatMisconfigured`, and nothing else.
    """

    def __init__(
        self, app_id: str, app_secret: str, base_url: str, now: Callable[[], datetime], token_store: TokenStore
    ) -> None:
        self._app_id = app_id
        self._app_secret = app_secret
        self._wire = Wire(base_url)
        self._tokens = AccessTokens(app_id, app_secret, self._wire, now, token_store)

    def session_of(self, code: str) -> Identity:
        """Whose `wx.login` code this is (code2Session). A code is good once, for 5 minutes.

        The session_key WeChat adds stays here: with phone codes nobody needs it.
        """
        query = {"appid": self._app_id, "secret": self._app_secret, "js_code": code}
        answer = _expect_done(self._login(query | {"grant_type": "authorization_code"}))
        unionid = answer.get("unionid")
        return Identity(text_of(answer, "openid"), unionid if isinstance(unionid, str) and unionid else None)

    def phone_number(self, code: str) -> str:
        """The number behind a phone button's code (getPhoneNumber), in E.164 such as +8613800138000."""
        answer = self._with_token("/wxa/business/getuserphonenumber", {"code": code})
        phone = _object(answer, "phone_info")
        if _object(phone, "watermark").get("appid") != self._app_id:
            raise WeChatMisconfigured(WRONG_APP_ID, "the phone number was given to another mini-program")
        return _e164(phone)

    def _login(self, query: Mapping[str, str]) -> dict[str, Any]:
        try:
            return self._wire.get("/sns/jscode2session", query)
        except Unanswered:
            return self._wire.get("/sns/jscode2session", query)

    def _with_token(self, path: str, body: Mapping[str, str]) -> dict[str, Any]:
        answer = self._wire.post(path, body, {"access_token": self._tokens.current()})
        if errcode_of(answer) in TOKEN_REFUSED:
            answer = self._wire.post(path, body, {"access_token": self._tokens.fetch()})
        return _expect_done(answer)


def _expect_done(answer: dict[str, Any]) -> dict[str, Any]:
    errcode = errcode_of(answer)
    if errcode:
        raise refusal(errcode)
    return answer


def _object(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields.get(name)
    if not isinstance(value, dict):
        raise WeChatBusy(f"an answer without {name}")
    return value


def _e164(phone: Mapping[str, Any]) -> str:
    # Documented as a number, sent as a text.
    country = str(phone.get("countryCode", "")).lstrip("+")
    number = f"+{country}{text_of(phone, 'purePhoneNumber')}"
    if not E164.fullmatch(number):
        raise WeChatBusy("a phone number that is none")
    return number
