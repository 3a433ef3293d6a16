"""Bills as WeChat writes them, for a merchant and day of a test's choosing."""

import gzip
import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from payments.bills.rules import Owner
from payments.wechat.orders import BEIJING
from simulators.wechat.bill_papers import Flow, Flowed, Traded, flow_bill, trade_bill

KEEP_DAYS = 3653
DAY = date(2026, 6, 10)
OWNER = Owner("1600000001", "1900000109", DAY)
Edit = Callable[[str], str]


def at(hour: int, minute: int = 0, day: date = DAY) -> float:
    """A moment of the day on the clocks of Beijing, in Unix seconds."""
    return (datetime.combine(day, datetime.min.time(), BEIJING) + timedelta(hours=hour, minutes=minute)).timestamp()


def digits(count: int) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(count))


def payment(fen: int = 1250, hour: int = 12, owner: Owner = OWNER, **words: object) -> Traded:
    """A payment of that day."""
    made = Traded(
        at(hour, day=owner.day), "wx0123456789", owner.sp_mchid, owner.sub_mchid, f"42{digits(26)}", f"P{digits(20)}",
        "o-payer-0000000000001", "停车费 测试车场", "", "0.60", paid_fen=fen,
    )  # fmt: skip
    return replace(made, **words)  # type: ignore[arg-type]


def refund(of: Traded, fen: int = 300, status: str = "SUCCESS", **words: object) -> Traded:
    """Money of a payment that went back an hour later."""
    made = replace(
        of, at=of.at + 3600, paid_fen=0, refund_id=f"50{digits(26)}", out_refund_no=f"R{digits(30)}", refund_fen=fen,
        status=status, refunded_at=of.at + 3700,
    )  # fmt: skip
    return replace(made, **words)  # type: ignore[arg-type]


def trades(*lines: Traded, layout: str = "ALL") -> str:
    return trade_bill(lines, layout)


def flows(*lines: Flowed, opening_fen: int = 0, owner: Owner = OWNER) -> str:
    return flow_bill(Flow(opening_fen, list(lines)), owner.sub_mchid)


def flowing(lines: Sequence[Traded]) -> list[Flowed]:
    """What an account sees of these trades."""
    told = []
    for each in lines:
        if each.is_refund:
            told.append(
                Flowed(each.at, each.refund_id, "退款", -each.refund_fen - each.fee_fen, "", each.out_refund_no)
            )
        else:
            told.append(Flowed(each.at, each.transaction_id, "交易", each.paid_fen, "", each.out_trade_no))
            told.append(Flowed(each.at, each.transaction_id, "扣除交易手续费", -each.fee_fen, "", each.out_trade_no))
    return [each for each in told if each.fen]


def part(text: str, *, packed: bool = True) -> tuple[str, list[bytes]]:
    """One part of a bill as it was downloaded: what WeChat hashed, and the bytes in small pieces."""
    raw = text.encode()
    sent = gzip.compress(raw, mtime=0) if packed else raw
    pieces = [sent[start : start + 700] for start in range(0, len(sent), 700)] or [b""]
    return hashlib.sha1(raw, usedforsecurity=False).hexdigest(), pieces
