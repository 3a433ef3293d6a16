"""What must be ended before an account can be erased."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Exists, SQLColumnExpression, exists, func, literal, select

from app.domain.arrears.models import Arrear
from app.domain.claims.models import BayClaim
from app.domain.conduct.models import Appeal, AppealDecision
from app.domain.gates.models import GateEvent
from app.domain.motorists.models import NumberPlate, Vehicle
from app.domain.partners.models import PartnerVisitReport
from app.domain.receipts.models import ReceiptMail
from app.domain.regulars.models import RegularApplication, RegularRound
from app.domain.reservations.models import Reservation, WaitlistEntry
from app.domain.stays.models import PassageOutcome, Stay
from app.kernel import clock
from app.kernel.db import current
from app.kernel.refusals import Conflict
from payments.charges.models import Charge
from payments.receipts.models import Receipt, ReceiptRequest
from payments.refunds.models import Refund

PlateId = SQLColumnExpression[int]
LIVE: Final = ("held", "confirmed", "in_use")
UNPAID: Final = ("created", "closing")
REFUND_OVER: Final = ("rejected", "closed", "success")
UNDER_WAY: Final = ("due", "issuing", "reversing")


class AccountHasReservation(Conflict):
    """A reservation, an offer, a place on a waiting list or a regular place is live."""

    code = "account_has_reservation"
    message = "您还有未结束的预约、候补或固定泊位，请先取消后再注销"


class AccountHasCarInside(Conflict):
    """A car of theirs is in a lot."""

    code = "account_has_car_inside"
    message = "您还有车辆在停车场内，请离场并结清费用后再注销"


class AccountOwes(Conflict):
    """Something is not paid."""

    code = "account_owes"
    message = "您还有未支付的停车费，请结清后再注销"


class AccountHasRefund(Conflict):
    """Money is on its way back, or somebody still decides on it."""

    code = "account_has_refund"
    message = "您还有办理中的退款，请在退款完成后再注销"


class AccountHasAppeal(Conflict):
    """Nobody has decided on their appeal."""

    code = "account_has_appeal"
    message = "您还有未办结的申诉，请在申诉办结后再注销"


class AccountHasReceipt(Conflict):
    """An invoice that they asked for is being issued, or a mail is on its way."""

    code = "account_has_receipt"
    message = "您还有正在开具或发送的票据，请稍后再注销"


def refuse_unfinished(motorist_id: int) -> None:
    """Refuse an account of which something is under way.

    Refuses `AccountHasReservation`, `AccountHasCarInside`, `AccountOwes`, `AccountHasRefund`, `AccountHasAppeal`,
    `AccountHasReceipt`; what comes first is told.
    """
    for refusal, found in (
        (AccountHasCarInside, exists().where(Stay.motorist_id == motorist_id, Stay.state == "parked")),
        (AccountHasReservation, _promised(motorist_id)),
        (AccountHasReservation, _waits(motorist_id)),
        (AccountHasReservation, _regular(motorist_id)),
        (AccountOwes, exists().where(Stay.motorist_id == motorist_id, Stay.state == "owing")),
        (AccountOwes, exists().where(Arrear.motorist_id == motorist_id, Arrear.owing)),
        (AccountOwes, exists().where(Charge.motorist_id == motorist_id, Charge.state.in_(UNPAID))),
        (AccountHasRefund, _refund(motorist_id)),
        (AccountHasAppeal, _appeal(motorist_id)),
        (AccountHasReceipt, _receipt(motorist_id)),
        (AccountHasReceipt, _request(motorist_id)),
        (AccountHasReceipt, exists().where(ReceiptMail.motorist_id == motorist_id, ReceiptMail.state == "sending")),
    ):
        if current().scalar(select(found)):
            raise refusal


def is_needed(plate_id: int) -> bool:
    """Whether a locked plate is another account's, in a claim or stay that is not over, or in a passage not read."""
    return bool(current().scalar(select(_is_needed(literal(plate_id)))))


def strangers_gone(plate_ids: Collection[int], moment: datetime) -> Sequence[int]:
    """Which of these plates nobody needs, and no gate, no partner and no account had at that moment or later."""
    gone = select(NumberPlate.id).where(
        NumberPlate.id.in_(plate_ids), NumberPlate.erased_at.is_(None),
        ~(_is_needed(NumberPlate.id) | _was_there_since(NumberPlate.id, moment)),
    )  # fmt: skip
    return current().scalars(gone.order_by(NumberPlate.id)).all()


def _is_needed(plate_id: PlateId) -> ColumnElement[bool]:
    return (
        exists().where(Vehicle.plate_id == plate_id, Vehicle.removed_at.is_(None))
        | exists().where(BayClaim.plate_id == plate_id, BayClaim.state.in_(LIVE))
        | exists().where(Stay.plate_id == plate_id, Stay.state.in_(("parked", "owing")))
        | _passed_unread(plate_id)
    )


def _was_there_since(plate_id: PlateId, moment: datetime) -> ColumnElement[bool]:
    """Of a promise that is over gates tell, or it was an account's; of claims no index finds those of a plate."""
    return (
        exists().where(GateEvent.plate_id == plate_id, GateEvent.event_time >= moment)
        | exists().where(PartnerVisitReport.plate_id == plate_id, PartnerVisitReport.received_at >= moment)
        | exists().where(Vehicle.plate_id == plate_id, Vehicle.removed_at >= moment)
    )


def _passed_unread(plate_id: PlateId) -> Exists:
    """A car has passed a gate with it, and the stay that follows is not written yet."""
    read = exists().where(PassageOutcome.event_id == GateEvent.id)
    return exists().where(GateEvent.plate_id == plate_id, GateEvent.type == "passed", ~read)


def _promised(motorist_id: int) -> Exists:
    return exists().where(
        Reservation.motorist_id == motorist_id, BayClaim.id == Reservation.claim_id, BayClaim.state.in_(LIVE)
    )


def _waits(motorist_id: int) -> Exists:
    return exists().where(WaitlistEntry.motorist_id == motorist_id, WaitlistEntry.state.in_(("waiting", "offered")))


def _regular(motorist_id: int) -> Exists:
    """They take part in a round whose nights are not over."""
    return exists().where(
        RegularApplication.motorist_id == motorist_id, RegularApplication.state.in_(("applied", "waiting", "won")),
        RegularRound.id == RegularApplication.round_id, RegularRound.state != "cancelled",
        func.upper(RegularRound.nights) > clock.business_day(clock.now()),
    )  # fmt: skip


def _refund(motorist_id: int) -> Exists:
    return exists().where(
        Charge.motorist_id == motorist_id, Refund.charge_id == Charge.id, Refund.state.not_in(REFUND_OVER)
    )


def _appeal(motorist_id: int) -> Exists:
    decided = exists().where(AppealDecision.appeal_id == Appeal.id)
    return exists().where(Appeal.motorist_id == motorist_id, ~decided)


def _receipt(motorist_id: int) -> Exists:
    return exists().where(
        Receipt.motorist_id == motorist_id, Receipt.payer_name.is_not(None), Receipt.state.in_(UNDER_WAY)
    )


def _request(motorist_id: int) -> Exists:
    return exists().where(
        ReceiptRequest.motorist_id == motorist_id, ReceiptRequest.title_id.is_not(None),
        ReceiptRequest.next_check_at.is_not(None),
    )  # fmt: skip
