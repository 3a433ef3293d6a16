"""The APIv3 endpoints: gate, faults, the order book, signed answers."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from simulators.wechat.bills import NO_STATEMENT, digest, packed, sealed
from simulators.wechat.certificates import certificate_list
from simulators.wechat.errors import ApiError, compact
from simulators.wechat.faults import Fault, suffer
from simulators.wechat.orders import payer_of
from simulators.wechat.schemas import (
    CARD,
    CLOSE,
    CLOSE_COMBINED,
    check,
    check_combined,
    check_create,
    check_echo,
    check_refund,
    sub_orders,
)
from simulators.wechat.signatures import opened
from simulators.wechat.world import World
from simulators.wire import Asked, Reply

PARTNER = "/v3/pay/partner/transactions"
COMBINED = "/v3/combine-transactions"
REFUNDS = "/v3/refund/domestic/refunds"
DOWNLOAD = "/v3/billdownload/file"
COMMON_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache, must-revalidate",
    "Content-Language": "zh-CN",
    "Content-Type": "application/json; charset=utf-8",
}


@dataclass(frozen=True)
class Request:
    """What passed the gate."""

    asked: Asked
    body: dict[str, Any]
    named: str
    fault: Fault | None


@dataclass(frozen=True)
class Route:
    method: str
    path: re.Pattern[str]
    operation: str
    run: Callable[["PayApi", Request], bytes]
    is_signed: bool = True


class PayApi:
    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, asked: Asked) -> Reply:
        known = [route for route in ROUTES if route.path.fullmatch(asked.path)]
        if not known:
            return Reply(404)
        route = next((route for route in known if route.method == asked.method), None)
        if route is None:
            return Reply(405)
        fault = self._world.faults.take(route.operation)
        return suffer(fault, lambda: self._served(route, asked, fault))

    def _served(self, route: Route, asked: Asked, fault: Fault | None) -> Reply:
        match = route.path.fullmatch(asked.path)
        named = unquote(match.group(1)) if match and match.groups() else ""
        try:
            body = self._world.gate.admit(asked)
            most = self._world.switches.most_a_minute.get(route.operation, 0)
            self._world.limits.expect_room(route.operation, most, self._world.clock.now())
            answered = route.run(self, Request(asked, body, named, fault))
            return self._success(asked, answered, fault) if route.is_signed else self._file(answered)
        except ApiError as error:
            return self._failure(asked, error)

    def _success(self, asked: Asked, body: bytes, fault: Fault | None) -> Reply:
        headers = COMMON_HEADERS | {"Request-ID": self._world.ids.request_id(0)}
        kind = fault.kind if fault else ""
        if kind != "unsigned":
            headers |= self._signature(asked, b"forged" if kind == "wrong_signature" else body)
        return Reply(200 if body else 204, body, headers)

    def _file(self, content: bytes) -> Reply:
        """A download: only the hash that was signed before vouches for it."""
        kind = {"Content-Type": "application/octet-stream", "Request-ID": self._world.ids.request_id(0)}
        return Reply(200, content, kind)

    def _failure(self, asked: Asked, error: ApiError) -> Reply:
        headers, body = dict(COMMON_HEADERS), error.body()
        # WeChat's 401 on payment paths carries no Request-ID.
        if not (error.status == HTTPStatus.UNAUTHORIZED and asked.path.startswith("/v3/pay/")):
            headers["Request-ID"] = self._world.ids.request_id(268435457)
        if error.business and self._world.switches.sign_errors:
            headers |= self._signature(asked, body)
        return Reply(error.status, body, headers)

    def _signature(self, asked: Asked, body: bytes) -> dict[str, str]:
        signer = self._world.answer_signer(asked.header("Wechatpay-Serial"))
        return signer.headers(body, self._world.clock.now(), self._world.ids.hexadecimal(32))

    def create(self, request: Request) -> bytes:
        check_create(request.body)
        self._expect_parties(request.body)
        prepay_id = self._world.orders.place(request.body, self._world.switches.paid_code)
        return compact({"prepay_id": prepay_id})

    def query_number(self, request: Request) -> bytes:
        self._expect_single(request.named)
        return compact(self._world.orders.shown(request.named, _sub_mchid(request)))

    def query_transaction(self, request: Request) -> bytes:
        return compact(self._world.orders.shown(self._world.orders.number_of(request.named), _sub_mchid(request)))

    def close(self, request: Request) -> bytes:
        check(request.body, CLOSE)
        self._expect_single(request.named)
        if request.fault and request.fault.kind == "paid_at_close":
            self._world.cashier.settle(request.named)
        paid = ApiError(self._world.switches.close_paid_status, "ORDER_PAID", "该订单已支付")
        self._world.orders.close(request.named, request.body["sub_mchid"], paid)
        return b""

    def combine(self, request: Request) -> bytes:
        check_combined(request.body)
        head = {"sp_appid": request.body["combine_appid"], "sp_mchid": request.body["combine_mchid"]}
        payer = {"payer": {"sp_openid": request.body["combine_payer_info"]["openid"]}}
        for part in sub_orders(request.body):
            self._expect_parties(head | payer | {"sub_mchid": part["sub_mchid"]})
        prepay_id = self._world.combined.place(request.body, self._world.switches.paid_code)
        return compact({"prepay_id": prepay_id})

    def query_combined(self, request: Request) -> bytes:
        return compact(self._world.combined.shown(request.named))

    def close_combined(self, request: Request) -> bytes:
        check(request.body, CLOSE_COMBINED)
        parts = sub_orders(request.body)
        if request.fault and request.fault.kind in ("paid_at_close", "partly_paid_at_close"):
            only = [parts[0]["out_trade_no"]] if request.fault.kind == "partly_paid_at_close" else []
            self._world.cashier.settle_together(request.named, only)
        paid = ApiError(self._world.switches.close_paid_status, "ORDER_PAID", "该订单已支付")
        self._world.combined.close(request.named, parts, paid, rest=self._world.switches.close_rest)
        return b""

    def refund(self, request: Request) -> bytes:
        check_refund(request.body)
        refund, is_new = self._world.refunds.apply(request.body, self._world.switches)
        if is_new and refund.outcome != "PROCESSING" and "notify_url" in refund.asked:
            self._world.report(refund, refund.outcome, refund.settles_at)
        return compact(self._world.refunds.shown(refund))

    def abnormal_refund(self, request: Request) -> bytes:
        check(request.body, CARD)
        card = self._card(request)
        refund = self._world.refunds.to_card(request.named, request.body, card, self._world.switches)
        if refund.outcome != "PROCESSING":
            self._world.report(refund, refund.outcome, refund.settles_at)
        return compact(self._world.refunds.shown(refund))

    def _card(self, request: Request) -> str:
        """What WeChat shows of the card whose number and holder were sealed for the key that the request names."""
        key = self._world.material.keys_by_serial.get(request.asked.header("Wechatpay-Serial"))
        try:
            number, holder = (opened(request.body[name], key) for name in ("bank_account", "real_name"))
        except ValueError:
            raise ApiError(400, "PARAM_ERROR", "敏感信息解密失败") from None
        if not (number.isdigit() and holder):
            raise ApiError(400, "PARAM_ERROR", "银行卡信息有误")
        return f"{request.body['bank_type']}{number[-4:]}"

    def query_refund(self, request: Request) -> bytes:
        sub_mchid = request.asked.query.get("sub_mchid", "")
        return compact(self._world.refunds.shown(self._world.refunds.known(request.named, sub_mchid)))

    def trade_bill(self, request: Request) -> bytes:
        query, switches = request.asked.query, self._world.switches
        self._expect_own(query.get("sub_mchid", ""))
        text = self._world.bills.trade(query, switches.fee_percent)
        url = self._download_url(request, packed(text, query.get("tar_type", "")))
        return compact({"hash_type": "SHA1", "hash_value": digest(text), "download_url": url})

    def own_flow_bill(self, _: Request) -> bytes:
        """The provider's own account: what its sub-merchants take never comes there."""
        raise NO_STATEMENT

    def flow_bill(self, request: Request) -> bytes:
        query = request.asked.query
        self._expect_own(query.get("sub_mchid", ""))
        text = self._world.bills.flow(query, self._world.switches.fee_percent)
        parts = [self._part(request, number, part) for number, part in enumerate(self._parts(text), 1)]
        return compact({"download_bill_count": len(parts), "download_bill_list": parts})

    def download(self, request: Request) -> bytes:
        content = self._world.bills.take(request.asked.query.get("token", ""))
        kind = request.fault.kind if request.fault else ""
        if kind == "bill_byte":
            middle = len(content) // 2
            return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        return content[:-9] if kind == "bill_truncated" else content

    def _parts(self, text: bytes) -> list[bytes]:
        lines, most = text.splitlines(keepends=True), self._world.switches.bill_part_lines
        if not most:
            return [text]
        return [b"".join(lines[at : at + most]) for at in range(0, len(lines), most)]

    def _part(self, request: Request, number: int, text: bytes) -> dict[str, Any]:
        merchant = self._world.material.merchant_key.public_key()
        content = packed(text, request.asked.query.get("tar_type", ""))
        closed, encrypt_key, nonce = sealed(content, merchant, self._world.ids)
        return {
            "bill_sequence": number, "download_url": self._download_url(request, closed), "encrypt_key": encrypt_key,
            "hash_type": "SHA1", "hash_value": digest(text), "nonce": nonce,
        }  # fmt: skip

    def _download_url(self, request: Request, content: bytes) -> str:
        return f"http://{request.asked.header('Host')}{DOWNLOAD}?token={self._world.bills.offer(content)}"

    def _expect_own(self, sub_mchid: str) -> None:
        if sub_mchid and not self._world.is_bound(sub_mchid):
            raise ApiError(403, "NO_AUTH", "商户无权限")

    def echo(self, request: Request) -> bytes:
        check_echo(request.body)
        fields = ("echo_message", "encrypted_echo_message")
        said = {name: request.body[name] for name in fields if name in request.body}
        if "notify_url" in request.body:
            self._world.courier.post(self._world.notices.echo(request.body["notify_url"], said))
        return compact(said)

    def certificates(self, _: Request) -> bytes:
        return certificate_list(self._world)

    def _expect_single(self, number: str) -> None:
        if self._world.orders.is_part(number):
            raise ApiError(400, "INVALID_REQUEST", "合单订单请使用合单接口")

    def _expect_parties(self, body: dict[str, Any]) -> None:
        world, sub_mchid = self._world, body["sub_mchid"]
        if body["sp_appid"] != world.material.account.app_id:
            raise ApiError(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配")
        if sub_mchid == body["sp_mchid"]:
            raise ApiError(400, "INVALID_REQUEST", "子商户mchid不能与自身mchid相同")
        if not world.is_bound(sub_mchid):
            raise ApiError(400, "INVALID_REQUEST", "受理关系不存在")
        if sub_mchid in world.switches.blocked_sub_merchants:
            raise ApiError(403, "NO_AUTH", "此商家的收款功能已被限制，暂无法支付")
        if not world.people.is_known(payer_of(body)):
            raise ApiError(400, "INVALID_REQUEST", "appid和openid不匹配")


def _sub_mchid(request: Request) -> str:
    query = request.asked.query
    for name in ("sp_mchid", "sub_mchid"):
        if not query.get(name):
            detail = {"field": name, "value": "", "issue": "缺少必填参数", "location": "query"}
            raise ApiError(400, "PARAM_ERROR", f"缺少必填参数{name}", detail, business=False)
    return query["sub_mchid"]


ROUTES = (
    Route("POST", re.compile(f"{PARTNER}/(?:jsapi|miniprogram)"), "create", PayApi.create),
    Route("GET", re.compile(f"{PARTNER}/out-trade-no/([^/]+)"), "query", PayApi.query_number),
    Route("GET", re.compile(f"{PARTNER}/id/([^/]+)"), "query", PayApi.query_transaction),
    Route("POST", re.compile(f"{PARTNER}/out-trade-no/([^/]+)/close"), "close", PayApi.close),
    Route("POST", re.compile(f"{COMBINED}/jsapi"), "combine", PayApi.combine),
    Route("GET", re.compile(f"{COMBINED}/out-trade-no/([^/]+)"), "query_combined", PayApi.query_combined),
    Route("POST", re.compile(f"{COMBINED}/out-trade-no/([^/]+)/close"), "close_combined", PayApi.close_combined),
    Route("POST", re.compile(REFUNDS), "refund", PayApi.refund),
    Route("POST", re.compile(f"{REFUNDS}/([^/]+)/apply-abnormal-refund"), "abnormal_refund", PayApi.abnormal_refund),
    Route("GET", re.compile(f"{REFUNDS}/([^/]+)"), "query_refund", PayApi.query_refund),
    Route("GET", re.compile("/v3/bill/tradebill"), "trade_bill", PayApi.trade_bill),
    Route("GET", re.compile("/v3/bill/fundflowbill"), "flow_bill", PayApi.own_flow_bill),
    Route("GET", re.compile("/v3/bill/sub-merchant-fundflowbill"), "flow_bill", PayApi.flow_bill),
    Route("GET", re.compile(DOWNLOAD), "download", PayApi.download, is_signed=False),
    Route("POST", re.compile("/v3/security/echo"), "echo", PayApi.echo),
    Route("GET", re.compile("/v3/certificates"), "certificates", PayApi.certificates),
)
