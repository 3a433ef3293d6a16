"""A merchant's day is signed off by two persons when all of it is explained; fees and settlements are posted."""

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select

from app.kernel import audit, clock
from app.kernel.clock import SHANGHAI
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, NotAllowed
from payments.bills.models import BillFile, FundLine
from payments.ledger.actions import post
from payments.payees.models import MerchantChannel
from payments.reconciliation.actions.match import SETTLEMENT
from payments.reconciliation.models import DayProposal, DaySignOff, ReconRun
from payments.reconciliation.queries import latest_run, unexplained
from payments.reconciliation.rules import fee_lines, settlement_lines


class DayNotCompared(Conflict):
    """Both bills of the day must be there and compared."""

    code = "day_not_compared"
    message = "当日账单尚未取全或尚未核对"


class DayNotExplained(Conflict):
    """Something in it is not explained yet, or a newer bill came."""

    code = "day_not_explained"
    message = "当日仍有未说明的差异，不能日结"


class DayNotProposed(Conflict):
    """Nobody proposed the day as it stands now."""

    code = "day_not_proposed"
    message = "当日尚未提请日结"


class DayProposedAlready(Conflict):
    """The day as it stands waits for another person."""

    code = "day_proposed_already"
    message = "当日已提请日结，待复核"


class DaySignedOff(Conflict):
    """It is closed, and stays so."""

    code = "day_signed_off"
    message = "当日已日结"


class OwnProposal(NotAllowed):
    """Nobody signs what they proposed themselves."""

    code = "own_proposal"
    message = "提请人不得复核本人提请的日结"


class OwnBill(NotAllowed):
    """Nobody signs a day off of which they brought a bill themselves."""

    code = "own_bill"
    message = "补录账单的人不得复核当日日结"


REFUSED_BY: Final = {
    "a_day_is_signed_off_once": DaySignedOff,
    "a_signed_day_is_explained": DayNotExplained,
    "a_bill_by_hand_is_signed_by_another_person": OwnBill,
}


def propose(channel_id: int, day: date, by: str) -> DayProposal:
    """Say that a merchant's day is explained, as its newest run found it.

    Refuses `DayNotCompared`, `DayNotExplained`, `DayProposedAlready`.
    """
    with transaction():
        run = _explained(channel_id, day)
        made = DayProposal(run_id=run.id, channel_id=channel_id, day=day, made_by=by, made_at=clock.now())
        with refusing({"a_run_is_proposed_once": DayProposedAlready}):
            current().add(made)
        audit.record("day.propose", "day_proposal", made.id, by)
        return made


def sign(channel_id: int, day: date, by: str) -> DaySignOff:
    """Close a merchant's day; what WeChat kept and what it paid out is posted.

    Refuses `DayNotCompared`, `DayNotExplained`, `DayNotProposed`, `OwnProposal`, `OwnBill`, `DaySignedOff`.
    """
    with transaction():
        run = _explained(channel_id, day)
        proposal = current().scalars(select(DayProposal).filter_by(run_id=run.id)).one_or_none()
        if proposal is None:
            raise DayNotProposed
        if proposal.made_by == by:
            raise OwnProposal
        signed = _signed(run, proposal, by)
        _post_fees(run)
        _post_settlements(run)
        audit.record("day.sign_off", "day_sign_off", signed.id, by)
        return signed


def _explained(channel_id: int, day: date) -> ReconRun:
    run = latest_run(channel_id, day)
    if run is None or run.flow_file_id is None:
        raise DayNotCompared
    if waiting := unexplained(channel_id, day):
        raise DayNotExplained(unexplained=waiting)
    return run


def _signed(run: ReconRun, proposal: DayProposal, by: str) -> DaySignOff:
    signed = DaySignOff(
        proposal_id=proposal.id, channel_id=run.channel_id, payee_id=run.payee_id, day=run.day,
        made_by=proposal.made_by, signed_by=by, signed_at=clock.now(),
    )  # fmt: skip
    with refusing(REFUSED_BY):
        current().add(signed)
    return signed


def _post_fees(run: ReconRun) -> None:
    fee_fen = current().get_one(BillFile, run.trade_file_id).fee_fen
    if fee_fen:
        merchant = current().get_one(MerchantChannel, run.channel_id).sub_mchid
        ends = datetime.combine(run.day + timedelta(days=1), datetime.min.time(), SHANGHAI)
        post("channel_fee", f"fees:{merchant}:{run.day}", run.payee_id, ends, fee_lines(fee_fen))


def _post_settlements(run: ReconRun) -> None:
    paid_out = select(FundLine).filter_by(bill_id=run.flow_file_id, kind=SETTLEMENT).order_by(FundLine.number)
    for each in current().scalars(paid_out).all():
        if each.amount_fen < 0:
            lines = settlement_lines(-each.amount_fen)
            post("settlement", f"settlement:{each.flow_id}", run.payee_id, each.at, lines)
