"""The desk for bills (对账单): what WeChat's own book says of a day, ready from 10:00 of the next, for three months."""

import base64
import gzip
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1

from simulators.clock import BEIJING
from simulators.wechat.bill_papers import LAYOUTS, Flow, Flowed, Traded, fee_of, flow_bill, trade_bill, yuan
from simulators.wechat.errors import ApiError
from simulators.wechat.ids import Ids
from simulators.wechat.orders import Order, Orders
from simulators.wechat.refunds import Refund, Refunds

GENERATED_AT, READY_AT = timedelta(hours=9), timedelta(hours=10)
KEPT = timedelta(days=92)
TOKEN_SECONDS = 300
SETTLED_AT = timedelta(hours=8)
"""When what an account held at midnight goes to the merchant's bank (T+1)."""
DAY = timedelta(days=1)

NO_STATEMENT = ApiError(400, "NO_STATEMENT_EXIST", "账单文件不存在")
CREATING = ApiError(400, "STATEMENT_CREATING", "账单生成中，请稍后再试")
NO_SUCH_FILE = ApiError(400, "INVALID_REQUEST", "下载链接已失效")


@dataclass(frozen=True)
class File:
    """What a token stands for, and until when."""

    content: bytes
    until: float


class Bills:
    """Every bill of our one service provider; `forced` texts are served instead of what the book says."""

    def __init__(self, ids: Ids, now: Callable[[], float], orders: Orders, refunds: Refunds) -> None:
        self._ids = ids
        self._now = now
        self._orders = orders
        self._refunds = refunds
        self._lock = Lock()
        self._files: dict[str, File] = {}
        self._forced: dict[tuple[str, str, str], str] = {}

    def trade(self, query: Mapping[str, str], fee_percent: str) -> bytes:
        """The file of a trade bill (交易账单), inflated. Raises `ApiError`."""
        bill_type, sub_mchid = query.get("bill_type", "ALL"), query.get("sub_mchid", "")
        if bill_type not in LAYOUTS:
            raise ApiError(400, "PARAM_ERROR", "账单类型不正确")
        day = self._day(query)
        return self._text("trade", sub_mchid, day, lambda: self._traded(sub_mchid, day, bill_type, fee_percent))

    def flow(self, query: Mapping[str, str], fee_percent: str) -> bytes:
        """The file of a sub-merchant's fund-flow bill (资金账单), inflated. Raises `ApiError`."""
        sub_mchid, day = query.get("sub_mchid", ""), self._day(query)
        if query.get("account_type") != "BASIC" or query.get("algorithm") != "AEAD_AES_256_GCM":
            raise ApiError(400, "PARAM_ERROR", "账户类型或加密算法不正确")
        return self._text("fund_flow", sub_mchid, day, lambda: self._flowed(sub_mchid, day, fee_percent))

    def force(self, kind: str, sub_mchid: str, day: str, text: str | None) -> None:
        """Serve this text from now on, or the book's again; an empty text is a day without a bill."""
        key = (kind, sub_mchid, day)
        with self._lock:
            self._forced.pop(key, None)
            if text is not None:
                self._forced[key] = text

    def release(self) -> None:
        """Only what the book says, for every day."""
        with self._lock:
            self._forced.clear()

    def offer(self, content: bytes) -> str:
        """A token under which these bytes lie for five minutes."""
        token = self._ids.alphanumeric(48)
        with self._lock:
            self._files[token] = File(content, self._now() + TOKEN_SECONDS)
        return token

    def take(self, token: str) -> bytes:
        """The bytes under a token. Raises `ApiError`."""
        with self._lock:
            file = self._files.get(token)
        if file is None or self._now() > file.until:
            raise NO_SUCH_FILE
        return file.content

    def _day(self, query: Mapping[str, str]) -> datetime:
        """Midnight in Beijing at which the asked day began; raises unless its bill is ready."""
        now = datetime.fromtimestamp(self._now(), BEIJING)
        try:
            day = datetime.strptime(query.get("bill_date", ""), "%Y-%m-%d").replace(tzinfo=BEIJING)
        except ValueError:
            raise ApiError(400, "PARAM_ERROR", "账单日期格式不正确") from None
        if day + DAY > now or now - day > KEPT:
            raise ApiError(400, "INVALID_REQUEST", "账单日期不在可下载的范围内")
        if now < day + DAY + READY_AT:
            raise CREATING
        return day

    def _text(self, kind: str, sub_mchid: str, day: datetime, written: Callable[[], str]) -> bytes:
        with self._lock:
            forced = self._forced.get((kind, sub_mchid, day.date().isoformat()))
        text = written() if forced is None else forced
        if not text:
            raise NO_STATEMENT
        return text.encode()

    def _traded(self, sub_mchid: str, day: datetime, bill_type: str, fee_percent: str) -> str:
        lines = [each for each in self._lines(sub_mchid, fee_percent, day) if _within(each.at, day)]
        return trade_bill(sorted(lines, key=lambda each: each.at), bill_type) if lines else ""

    def _lines(self, sub_mchid: str, percent: str, day: datetime) -> Iterator[Traded]:
        orders = {each.number: each for each in self._orders.all() if _is_of(each, sub_mchid) and each.is_paid}
        yield from (_paid(each, percent) for each in orders.values())
        snapshot = (day + DAY + GENERATED_AT).timestamp()
        for refund in self._refunds.all():
            if refund.order_number in orders:
                yield _given_back(orders[refund.order_number], refund, percent, refund.status(snapshot))

    def _flowed(self, sub_mchid: str, day: datetime, percent: str) -> str:
        moves = sorted(self._moves(sub_mchid, percent), key=lambda each: each.at)
        flow = _settled(moves, sub_mchid, day)
        return flow_bill(flow, sub_mchid) if flow.lines else ""

    def _moves(self, sub_mchid: str, percent: str) -> Iterator[Flowed]:
        """All that ever came into or left an account, settlement aside."""
        orders = {each.number: each for each in self._orders.all() if _is_of(each, sub_mchid) and each.is_paid}
        for order in orders.values():
            yield Flowed(order.paid_at, order.transaction_id, "交易", order.total_fen, "", order.number)
            if fee := fee_of(order.total_fen, percent):
                yield Flowed(order.paid_at, order.transaction_id, "扣除交易手续费", -fee, "", order.number)
        for refund in self._refunds.all():
            if refund.order_number in orders:
                yield from self._returned(refund, percent)

    def _returned(self, refund: Refund, percent: str) -> Iterator[Flowed]:
        fee = fee_of(refund.refund_fen, percent)
        remark = f"退款总金额{yuan(refund.refund_fen)}元;含手续费{yuan(fee)}元"
        gone = refund.refund_fen - fee
        yield Flowed(refund.created_at, refund.refund_id, "退款", -gone, remark, refund.number)
        if refund.status(self._now()) == "CLOSED":
            yield Flowed(refund.settles_at, refund.refund_id, "退款", gone, remark, refund.number)


def sealed(content: bytes, merchant: RSAPublicKey, ids: Ids) -> tuple[bytes, str, str]:
    """A fund-flow file as it leaves: encrypted under a key of its own, that key for the merchant alone, the nonce."""
    key, nonce = ids.hexadecimal(32).encode(), ids.hexadecimal(12)
    wrapped = merchant.encrypt(key, OAEP(MGF1(SHA1()), SHA1(), None))  # noqa: S303 - WeChat's choice
    return AESGCM(key).encrypt(nonce.encode(), content, b""), base64.b64encode(wrapped).decode(), nonce


def packed(text: bytes, tar_type: str) -> bytes:
    """The file as it is sent: gzipped where that was asked for."""
    return gzip.compress(text, mtime=0) if tar_type == "GZIP" else text


def digest(text: bytes) -> str:
    """Of the inflated file, whatever is sent."""
    return hashlib.sha1(text).hexdigest()  # noqa: S324 - WeChat's choice


def _settled(moves: list[Flowed], sub_mchid: str, day: datetime) -> Flow:
    """One day's lines with its settlement, and what was held before."""
    if not moves:
        return Flow()
    held, flow = 0, Flow()
    today = datetime.fromtimestamp(moves[0].at, BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    while today <= day:
        lines = [each for each in moves if _within(each.at, today)]
        if held > 0:
            voucher = f"TX{sub_mchid}{today:%Y%m%d}"
            lines.append(Flowed((today + SETTLED_AT).timestamp(), voucher, "提现", -held, "自动提现", voucher))
        flow = Flow(held, sorted(lines, key=lambda each: each.at))
        held += sum(each.fen for each in lines)
        today += DAY
    return flow


def _within(at: float, day: datetime) -> bool:
    return day.timestamp() <= at < (day + DAY).timestamp()


def _is_of(order: Order, sub_mchid: str) -> bool:
    return sub_mchid in ("", order.asked["sub_mchid"])


def _paid(order: Order, percent: str) -> Traded:
    asked = order.asked
    return Traded(
        order.paid_at, asked["sp_appid"], asked["sp_mchid"], asked["sub_mchid"], order.transaction_id, order.number,
        order.openid, asked["description"], asked.get("attach", ""), percent, paid_fen=order.total_fen,
    )  # fmt: skip


def _given_back(order: Order, refund: Refund, percent: str, status: str) -> Traded:
    asked = order.asked
    return Traded(
        refund.created_at, asked["sp_appid"], asked["sp_mchid"], asked["sub_mchid"], order.transaction_id,
        order.number, order.openid, asked["description"], asked.get("attach", ""), percent,
        refund_id=refund.refund_id, out_refund_no=refund.number, refund_fen=refund.refund_fen, status=status,
        refunded_at=refund.settles_at,
    )  # fmt: skip
