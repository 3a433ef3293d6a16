"""A payment of which only WeChat knows is placed: it pays an open debt, or goes back to whoever paid it.

One person says which, another agrees; then WeChat is asked, and what it tells takes the one path of all payments. What
goes back does so as a payment that came after its charge was withdrawn: `paid_late`, and whole.
"""

import uuid
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction, violated
from app.kernel.refusals import Conflict, Invalid, NotAllowed
from app.kernel.two_persons import TwoPersons
from payments.charges.actions import open_charge, withdraw
from payments.charges.actions.adopt import BeingPaid, adopt
from payments.charges.actions.cases import open_case
from payments.charges.actions.locks import lock_charge
from payments.charges.actions.rounds import one_round
from payments.charges.models import Charge
from payments.charges.queries import charge as charge_by_key
from payments.charges.queries import is_ours
from payments.charges.rules import GIVEN_BACK_AT_WECHAT, NO_SUCH_ORDER, PAID_AT_WECHAT, STRAY
from payments.payees.models import MerchantChannel
from payments.reconciliation.actions.clear import ClearingWaits
from payments.reconciliation.actions.match import let_vanish
from payments.reconciliation.models import Difference, StrayPlacement
from payments.reconciliation.queries import NoSuchPlacement, being_cleared, difference
from payments.reconciliation.rules import GIVE_BACK, PLACEMENT, SETTLE, next_look
from payments.refunds.rules import REFUNDABLE_FOR
from payments.wechat import Done, Refused, Transaction, Unknown, WeChatPay

CAUSE: Final = "stray"
DESCRIPTION: Final = "误付款项退回"
NOTHING_FOLLOWS: Final = ""
"""No job: the charge is withdrawn before it is paid."""
ANSWERED: Final[dict[str, str]] = {SETTLE: "paid", GIVE_BACK: "paid_late"}
"""What must come of the payment, each way."""


class NotAStray(Conflict):
    """Only a payment that WeChat has and we have not, and that stands in suspense, is placed."""

    code = "not_a_stray"
    message = "该笔差异不是挂账中的长款收款，不能抵付或退回"


class PaidForAnOrder(Conflict):
    """It was made under a number of ours, which no other order takes; a case tells what is wrong with it."""

    code = "stray_of_our_order"
    message = "该笔收款的商户订单号属于本平台订单，应先按异常事项核查"


class ChargeUnfit(Conflict):
    """The charge is not open, of another payee, or for another sum."""

    code = "stray_charge_unfit"
    message = "该笔费用未处于待缴状态，或收费主体、金额与该笔收款不一致"


class StrayTooOld(Conflict):
    """WeChat takes no refund a year after the payment."""

    code = "stray_too_old"
    message = "该笔收款已逾一年，无法原路退回"


class PlacementWaits(Conflict):
    """Somebody has said where it goes."""

    code = "placement_waits"
    message = "该笔收款已有处理申请，不能重复申请"


class PlacementDecided(Conflict):
    """It was accepted or rejected before."""

    code = "placement_decided"
    message = "该处理申请已复核"


class OwnPlacement(NotAllowed):
    """Nobody decides on what they asked themselves."""

    code = "own_placement"
    message = "申请人不得复核本人的处理申请"


class PlacementReasonMissing(Invalid):
    """Who asks or decides says why, without personal data."""

    code = "placement_reason_missing"
    message = "请填写处理原因"


REQUESTS: Final = TwoPersons(StrayPlacement, NoSuchPlacement, PlacementDecided, OwnPlacement, PlacementReasonMissing)


def place(key: uuid.UUID, charge_key: uuid.UUID, by: str, because: str) -> StrayPlacement:
    """Ask that a stray payment pays an open charge of its payee, of the very sum; another person decides.

    Refuses `NoSuchDifference`, `NotAStray`, `PaidForAnOrder`, `ClearingWaits`, `NoSuchCharge`, `ChargeUnfit`,
    `PlacementWaits`, `PlacementReasonMissing`.
    """
    with transaction():
        stray, debt = _stray(key), charge_by_key(charge_key)
        if (debt.state, debt.payee_id, debt.amount_fen) != ("created", stray.payee_id, stray.gap_fen):
            raise ChargeUnfit
        return _asked(stray, SETTLE, debt.id, by, because)


def give_back(key: uuid.UUID, by: str, because: str) -> StrayPlacement:
    """Ask that a stray payment goes back whole to whoever paid it; another person decides.

    Refuses `NoSuchDifference`, `NotAStray`, `PaidForAnOrder`, `ClearingWaits`, `StrayTooOld`, `PlacementWaits`,
    `PlacementReasonMissing`.
    """
    with transaction():
        stray = _stray(key)
        if clock.business_day(clock.now()) >= stray.day + REFUNDABLE_FOR:
            raise StrayTooOld
        return _asked(stray, GIVE_BACK, None, by, because)


def accept_placement(key: uuid.UUID, by: str, because: str) -> StrayPlacement:
    """Agree: WeChat is asked about the payment from now on, and what it tells is done.

    Refuses `NoSuchPlacement`, `PlacementDecided`, `OwnPlacement`, `PlacementReasonMissing`, `PayeeNotConfirmed`.
    """
    with transaction():
        found = REQUESTS.waiting(key, by, because)
        charge_id = found.charge_id or _withdrawn_charge(found).id
        PLACEMENT.move(
            found, "accept", by, **REQUESTS.decision(by, because), charge_id=charge_id, next_check_at=clock.now()
        )
        audit.record("stray.accept", "stray_placement", found.id, by)
        return found


def reject_placement(key: uuid.UUID, by: str, because: str) -> StrayPlacement:
    """Do not agree: it stays in suspense. Refuses as `accept_placement` does."""
    with transaction():
        found = REQUESTS.waiting(key, by, because)
        PLACEMENT.move(found, "reject", by, **REQUESTS.decision(by, because))
        audit.record("stray.reject", "stray_placement", found.id, by)
        return found


def place_strays(pay: WeChatPay, limit: int) -> int:
    """Ask WeChat about up to `limit` payments whose placement was accepted; returns how many.

    Outside any transaction.
    """
    return one_round(StrayPlacement, lambda placement_id: _carry_out(placement_id, pay), limit)


def _stray(key: uuid.UUID) -> Difference:
    stray = difference(key)
    if stray.state != "suspended" or stray.klass != "missing_here" or stray.gap_fen <= 0 or stray.out_trade_no is None:
        raise NotAStray
    if is_ours(stray.out_trade_no):
        raise PaidForAnOrder
    if being_cleared(stray.id):
        raise ClearingWaits
    return stray


def _asked(stray: Difference, way: str, charge_id: int | None, by: str, because: str) -> StrayPlacement:
    made = StrayPlacement(
        difference_id=stray.id, payee_id=stray.payee_id, amount_fen=stray.gap_fen, way=way, charge_id=charge_id,
        **REQUESTS.asking(by, because),
    )  # fmt: skip
    with refusing({"a_stray_is_placed_once": PlacementWaits}):
        current().add(made)
        current().flush()
    PLACEMENT.born(made, by, event="ask")
    audit.record("stray.ask", "stray_placement", made.id, by)
    return made


def _withdrawn_charge(found: StrayPlacement) -> Charge:
    """What goes back has a charge as every payment has, that nobody owes."""
    stray = current().get_one(Difference, found.difference_id)
    opened = open_charge(
        source_kind=STRAY, source_key=found.key, payee_id=found.payee_id, amount_fen=found.amount_fen,
        motorist_id=None, description=DESCRIPTION, on_paid=NOTHING_FOLLOWS,
    )  # fmt: skip
    return withdraw(opened.key, f"difference:{stray.key}")


def _carry_out(placement_id: int, pay: WeChatPay) -> bool:
    with transaction() as session:
        found = session.get_one(StrayPlacement, placement_id)
        stray = session.get_one(Difference, found.difference_id)
        sub_mchid = session.get_one(MerchantChannel, stray.channel_id).sub_mchid
    assert stray.out_trade_no is not None
    match pay.query_order(stray.out_trade_no, sub_mchid):
        case Done(value=seen) if seen.trade_state in PAID_AT_WECHAT and seen.transaction_id == stray.subject:
            _take_in(placement_id, seen)
        case Done():
            _give_up(placement_id, "not_paid_at_wechat")
        case Refused(code=code) if code in NO_SUCH_ORDER:
            _give_up(placement_id, "not_at_wechat")
        case Refused() | Unknown():
            _wait(placement_id)
            return False
    return True


def _take_in(placement_id: int, seen: Transaction) -> None:
    """What was given back on WeChat's own site, were it a part, pays nothing here and does not go back once more."""
    if seen.trade_state == GIVEN_BACK_AT_WECHAT:
        _give_up(placement_id, "given_back_at_wechat")
    else:
        _bring_in(placement_id, seen)


def _bring_in(placement_id: int, seen: Transaction) -> None:
    """The payment is ours, what it held in suspense returns, all in one transaction; or nothing of it."""
    try:
        with transaction():
            _placed(placement_id, seen)
    except BeingPaid:
        _wait(placement_id)
    except ChargeUnfit:
        _give_up(placement_id, "charge_unfit")
    except IntegrityError as error:
        _give_up(placement_id, violated(error) or "refused_by_the_database")


def _placed(placement_id: int, seen: Transaction) -> None:
    found = current().get_one(StrayPlacement, placement_id)
    debt = lock_charge(current().scalars(select(Charge.key).filter_by(id=found.charge_id)).one())
    current().refresh(found, with_for_update=True)
    stray = current().get_one(Difference, found.difference_id, with_for_update=True, populate_existing=True)
    if found.state != "accepted" or stray.state != "suspended":
        raise ChargeUnfit
    channel = current().get_one(MerchantChannel, stray.channel_id)
    if adopt(debt, seen, channel, f"stray:{found.key}") != ANSWERED[found.way]:
        raise ChargeUnfit
    let_vanish(stray, CAUSE)
    PLACEMENT.move(found, "place", CAUSE, next_check_at=None)


def _wait(placement_id: int) -> None:
    """WeChat does not tell, or somebody is paying the charge; after more than a day a person hears of it."""
    with transaction():
        found, now = _locked(placement_id), clock.now()
        planned = next_look(found.tries, now)
        if planned is None:
            open_case("stray_waits", f"stray:{found.key}", 2, payee_id=found.payee_id)
        found.next_check_at = planned or now + timedelta(days=1)
        found.tries += 1


def _give_up(placement_id: int, why: str) -> None:
    """A person decides anew; it stays in suspense, with its owner."""
    with transaction():
        found = _locked(placement_id)
        if found.state == "accepted":
            PLACEMENT.move(found, "fail", CAUSE, next_check_at=None)
            open_case("stray_not_placed", f"stray:{found.key}", 2, payee_id=found.payee_id, why=why)


def _locked(placement_id: int) -> StrayPlacement:
    wanted = select(StrayPlacement).filter_by(id=placement_id).with_for_update()
    return current().scalars(wanted.execution_options(populate_existing=True)).one()
