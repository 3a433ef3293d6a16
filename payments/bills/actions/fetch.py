"""One bill is asked for, brought and read, between transactions; what comes of it is a row."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from typing import BinaryIO, Final

from app.kernel import clock
from app.kernel.db import transaction
from payments.bills.actions.due import case_of_gone
from payments.bills.actions.load import SIGNED_OFF, is_known, keep, load, lock_day
from payments.bills.actions.originals import Pieces
from payments.bills.models import BillDay
from payments.bills.queries import TRADE, owner_of
from payments.bills.rules import BillRefused, Owner, after_failure, is_late
from payments.charges.actions.cases import open_case
from payments.wechat import BillPart, Done, Refused, Unknown, Unopenable, WeChatPay

NO_BILL: Final = "NO_STATEMENT_EXIST"
Parts = Sequence[BillPart]


def fetch(day_id: int, pay: WeChatPay, on_loaded: str, keep_days: int) -> bool:
    """Bring one bill day up to WeChat's word; whether there is news, which the job `on_loaded` is told.

    The same hash again is no news; another one is a new version and a case. What is refused changes nothing but
    says so on a row of its own and as a case; it is asked for again. A loaded file is kept sealed (`load`).
    Outside any transaction.
    """
    kind, owner = _asked(day_id)
    answer = (pay.trade_bill if kind == TRADE else pay.flow_bill)(owner.day, owner.sub_mchid)
    match answer:
        case Done(value=parts):
            return _brought(day_id, parts, pay, on_loaded, keep_days)
        case Refused(code=code) if code == NO_BILL:
            return _none(day_id, on_loaded)
        case Refused(code=code):
            return _not_had(day_id, code)
        case Unknown(why=why):
            return _not_had(day_id, why)


def _asked(day_id: int) -> tuple[str, Owner]:
    with transaction() as session:
        day = session.get_one(BillDay, day_id)
        return day.kind, owner_of(day)


def _brought(day_id: int, parts: Parts, pay: WeChatPay, on_loaded: str, keep_days: int) -> bool:
    hashes = ",".join(part.sha1 for part in parts)
    if is_known(day_id, hashes):
        return keep(day_id, "known", on_loaded=on_loaded)
    with ExitStack() as files:
        held = [files.enter_context(tempfile.TemporaryFile()) for _ in parts]
        for part, file in zip(parts, held, strict=True):
            if not isinstance(pay.download(part, file), Done):
                return _not_had(day_id, "download")
        try:
            plain = [
                (part.sha1, Pieces(files.enter_context(_opened(part, file, pay))))
                for part, file in zip(parts, held, strict=True)
            ]
            return load(day_id, plain, on_loaded, keep_days)
        except BillRefused as refusal:
            return _refused(day_id, hashes, refusal, on_loaded)


def _none(day_id: int, on_loaded: str) -> bool:
    try:
        return keep(day_id, "empty", on_loaded=on_loaded)
    except BillRefused as refusal:
        return _refused(day_id, NO_BILL, refusal, on_loaded)


def _opened(part: BillPart, file: BinaryIO, pay: WeChatPay) -> BinaryIO:
    """The part's own content: nothing of an encrypted one is read before all of it is proven."""
    if not part.is_encrypted:
        return file
    plain = tempfile.TemporaryFile()  # noqa: SIM115 - the caller's stack closes it
    try:
        plain.writelines(pay.opened(part, file))
    except Unopenable:
        plain.close()
        raise BillRefused("not_encrypted_for_us") from None
    return plain


def _not_had(day_id: int, why: str) -> bool:
    with transaction():
        day, now = lock_day(day_id), clock.now()
        day.next_check_at = after_failure(day.day, day.tries, why, now)
        day.tries += 1
        if day.next_check_at is None:
            case_of_gone(day.channel_id, [day.day])
        if is_late(day.day, now):
            told = {"day": day.day.isoformat(), "bill": day.kind, "channel_id": day.channel_id}
            open_case("bill_late", f"bill:{day.id}", 2, **told)
        return False


def _refused(day_id: int, hashes: str, refusal: BillRefused, on_loaded: str) -> bool:
    with transaction():
        keep(day_id, "refused", sha1=hashes, refusal=refusal, on_loaded=on_loaded)
        if refusal.code == SIGNED_OFF:
            return keep(day_id, "known", on_loaded=on_loaded)
        return _not_had(day_id, refusal.code)
