"""Each call that changes something at WeChat is written down before it leaves and answered afterwards."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from app.kernel import clock
from app.kernel.db import current
from payments.charges.models import ChannelCall, CombinedOrder, Order
from payments.wechat import Done, Refused, Unknown

T = TypeVar("T")


@dataclass(frozen=True)
class Intended:
    """A call that was written down, and when."""

    call_id: int
    at: datetime


def intend(root: Order | CombinedOrder, purpose: str, request: bytes) -> int:
    """Write down that we are about to call about an order, or a combined one; returns the call's id."""
    about = {"combined_id": root.id} if isinstance(root, CombinedOrder) else {"order_id": root.id}
    return _intend(purpose, request, **about).call_id


def intend_refund(refund_id: int, request: bytes) -> Intended:
    """Write down that we are about to ask for a refund: whoever sleeps before sending must sign with that moment."""
    return _intend("refund", request, refund_id=refund_id)


def _intend(purpose: str, request: bytes, **about: int) -> Intended:
    call = ChannelCall(
        purpose=purpose, request_hash=hashlib.sha256(request).digest(), state="intended", intended_at=clock.now(),
        **about,
    )  # fmt: skip
    current().add(call)
    current().flush()
    return Intended(call.id, call.intended_at)


def answer(call_id: int, outcome: Done[T] | Refused | Unknown) -> None:
    """Write down what came of it."""
    call = current().get_one(ChannelCall, call_id)
    now = clock.now()
    call.state, call.answer = _words(outcome)
    call.answered_at = now


def _words(outcome: Done[T] | Refused | Unknown) -> tuple[str, str | None]:
    match outcome:
        case Done():
            return "done", None
        case Refused(code=code):
            return "refused", code
        case Unknown(why=why):
            return "unknown", why
