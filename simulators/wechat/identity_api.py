"""The mini-program server API of api.weixin.qq.com: errors too are HTTP 200, and come as text/plain."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulators.wechat.errors import compact
from simulators.wechat.faults import Fault, suffer
from simulators.wechat.people import Errcode
from simulators.wechat.world import World
from simulators.wire import Asked, Reply

COUNTRIES = ("86", "852", "853", "886", "1", "44", "65", "81", "82")


@dataclass(frozen=True)
class Endpoint:
    method: str
    operation: str
    run: Callable[["IdentityApi", Asked], dict[str, Any]]


class IdentityApi:
    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, asked: Asked) -> Reply:
        endpoint = ENDPOINTS.get(asked.path)
        if endpoint is None:
            return Reply(404)
        if endpoint.method != asked.method:
            return Reply(405)
        fault = self._world.faults.take(endpoint.operation)
        return suffer(fault, lambda: self._served(endpoint, asked, fault))

    def _served(self, endpoint: Endpoint, asked: Asked, fault: Fault | None) -> Reply:
        try:
            _expect_calm(fault)
            body = endpoint.run(self, asked)
        except Errcode as error:
            rid = self._world.ids.hexadecimal(8)
            body = {"errcode": error.errcode, "errmsg": f"{error.errmsg}, rid: {rid}"}
            return Reply(200, compact(body), {"Content-Type": "text/plain"})
        return Reply(200, compact(body), {"Content-Type": "application/json; encoding=utf-8"})

    def session(self, asked: Asked) -> dict[str, Any]:
        query = asked.query
        self._expect_app(query.get("appid", ""), query.get("secret", ""))
        if not query.get("js_code"):
            raise Errcode(41008, "missing code")
        person = self._world.people.person(self._world.login_codes.redeem(query["js_code"]))
        answer = {"session_key": self._world.ids.alphanumeric(22) + "==", "openid": person.openid}
        return answer | ({"unionid": person.unionid} if person.unionid else {})

    def token(self, asked: Asked) -> dict[str, Any]:
        wanted = _object(asked)
        if wanted.get("grant_type") != "client_credential":
            raise Errcode(40002, "invalid grant_type")
        self._expect_app(wanted.get("appid", ""), wanted.get("secret", ""))
        token, seconds = self._world.tokens.issue(forced=wanted.get("force_refresh") is True)
        return {"access_token": token, "expires_in": seconds}

    def phone(self, asked: Asked) -> dict[str, Any]:
        self._world.tokens.expect(asked.query.get("access_token", ""))
        openid = self._world.phone_codes.redeem(str(_object(asked).get("code", "")))
        country, number = _split(self._world.people.person(openid).phone)
        watermark = {"timestamp": int(self._world.clock.now()), "appid": self._world.material.account.app_id}
        shown = number if country == "86" else f"+{country}{number}"
        phone = {"phoneNumber": shown, "purePhoneNumber": number, "countryCode": country, "watermark": watermark}
        return {"errcode": 0, "errmsg": "ok", "phone_info": phone}

    def subscribe(self, asked: Asked) -> dict[str, Any]:
        self._world.tokens.expect(asked.query.get("access_token", ""))
        wanted = _object(asked)
        is_known = self._world.people.is_known(str(wanted.get("touser", "")))
        return {"errcode": 0, "errmsg": "ok", "msgid": self._world.subscriptions.send(wanted, is_known=is_known)}

    def is_trade_managed(self, asked: Asked) -> dict[str, Any]:
        self._world.tokens.expect(asked.query.get("access_token", ""))
        self._expect_own(_object(asked))
        return {"errcode": 0, "errmsg": "ok", "is_trade_managed": self._world.switches.trade_managed}

    def upload_shipping(self, asked: Asked) -> dict[str, Any]:
        self._world.tokens.expect(asked.query.get("access_token", ""))
        self._world.trade.upload(_object(asked))
        return {"errcode": 0, "errmsg": "ok"}

    def get_order(self, asked: Asked) -> dict[str, Any]:
        self._world.tokens.expect(asked.query.get("access_token", ""))
        shown = self._world.trade.shown(str(_object(asked).get("transaction_id", "")))
        return {"errcode": 0, "errmsg": "ok", "order": shown}

    def _expect_own(self, wanted: dict[str, Any]) -> None:
        if wanted.get("appid") != self._world.material.account.app_id:
            raise Errcode(40013, "invalid appid")

    def _expect_app(self, app_id: str, secret: str) -> None:
        account = self._world.material.account
        if not app_id:
            raise Errcode(41002, "appid missing")
        if not secret:
            raise Errcode(41004, "appsecret missing")
        if app_id != account.app_id:
            raise Errcode(40013, "invalid appid")
        if secret != account.app_secret:
            raise Errcode(40125, "invalid appsecret")


def _expect_calm(fault: Fault | None) -> None:
    if fault and fault.kind == "errcode":
        raise Errcode(fault.errcode, "system error")


def _object(asked: Asked) -> dict[str, Any]:
    try:
        value = json.loads(asked.body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Errcode(47001, "data format error")
    return value


def _split(phone: str) -> tuple[str, str]:
    """Country code and the rest of an E.164 number."""
    digits = phone.removeprefix("+")
    country = next((code for code in COUNTRIES if digits.startswith(code)), digits[:3])
    return country, digits[len(country) :]


ENDPOINTS = {
    "/sns/jscode2session": Endpoint("GET", "login", IdentityApi.session),
    "/cgi-bin/stable_token": Endpoint("POST", "token", IdentityApi.token),
    "/wxa/business/getuserphonenumber": Endpoint("POST", "phone", IdentityApi.phone),
    "/cgi-bin/message/subscribe/send": Endpoint("POST", "subscribe", IdentityApi.subscribe),
    "/wxa/sec/order/is_trade_managed": Endpoint("POST", "is_trade_managed", IdentityApi.is_trade_managed),
    "/wxa/sec/order/upload_shipping_info": Endpoint("POST", "upload_shipping", IdentityApi.upload_shipping),
    "/wxa/sec/order/get_order": Endpoint("POST", "get_order", IdentityApi.get_order),
}
