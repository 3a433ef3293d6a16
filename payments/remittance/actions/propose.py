"""A batch is proposed: all that is due to one treasury of the days that are signed off and closed."""

from typing import Final

from sqlalchemy import Text, Uuid, bindparam, text

from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.ids import new_key
from app.kernel.refusals import Conflict, Invalid, Refusal
from payments.ledger.rules import TREASURY
from payments.payees.queries import payee_by_id
from payments.remittance.actions.steps import expect_reason, note
from payments.remittance.models import RemittanceBatch
from payments.remittance.rules import REMITTANCE


class NotForTreasury(Invalid):
    """An enterprise's money is its own: it is settled, not remitted (N3.4.2)."""

    code = "not_for_treasury"
    message = "企业收入归企业所有，不办理上缴"


class NothingDue(Conflict):
    """No day is signed off that was not remitted, or what went back is as much as what came in: it waits for more."""

    code = "nothing_due"
    message = "没有可上缴的款项：尚无新的已日结日期，或退款不少于收入"


class BatchUnderWay(Conflict):
    """A batch of this payee is proposed or approved and not sent: one after the other."""

    code = "remittance_under_way"
    message = "该收费主体已有未报送的上缴批次"


class SignedMeanwhile(Conflict):
    """A day was signed off while the batch was gathered: it belongs to it, so it is gathered anew."""

    code = "remittance_outdated"
    message = "汇集期间有日期完成日结，请重新提出"


def propose(payee_id: int, by: str, because: str) -> RemittanceBatch:
    """Gather all that a payee owes its treasury of signed-off, closed days, gross of every fee (N3.4.1).

    Refunds of money that was not remitted are negative lines. Refuses `NoSuchPayee`, `ReasonMissing`,
    `NotForTreasury`, `NothingDue`, `BatchUnderWay`, `SignedMeanwhile`.
    """
    with transaction() as session:
        expect_reason(because)
        if payee_by_id(payee_id).regime != TREASURY:
            raise NotForTreasury
        made = _gathered(payee_id, by)
        if made is None:
            raise NothingDue
        batch = session.get_one(RemittanceBatch, made)
        REMITTANCE.born(batch, by)
        note(batch, by, because)
        audit.record("remittance.propose", "remittance_batch", batch.id, by, {"amount_fen": batch.amount_fen})
        return batch


def _gathered(payee_id: int, by: str) -> int | None:
    taken: dict[str, type[Refusal]] = dict.fromkeys(
        ("a_payee_has_one_batch_under_way", "a_day_is_remitted_once", "a_posting_is_remitted_once"), BatchUnderWay
    )
    taken["a_batch_leaves_nothing_behind"] = SignedMeanwhile
    told = {"payee": payee_id, "by": by, "now": clock.now(), "key": new_key()}
    with refusing(taken) as session:
        made: int | None = session.scalar(_GATHER, told)
        session.execute(text("SET CONSTRAINTS a_batch_is_what_its_lines_say IMMEDIATE"))
    current().execute(text("SET CONSTRAINTS a_batch_is_what_its_lines_say DEFERRED"))
    return made


_GATHER: Final = text(
    """
    WITH signed AS (SELECT remittable_days(:payee) AS days),
    due AS (SELECT due_on.* FROM signed, due_on(:payee, signed.days)),
    made AS (
        INSERT INTO remittance_batch (key, payee_id, regime, level, collecting_unit_code, item_code, treasury_target,
                                      days, lines, amount_fen, made_by, made_at, state)
        SELECT :key, payee.id, regime, level, collecting_unit_code, item_code, treasury_target, signed.days, due.lines,
               due.fen, :by, :now, 'draft'
        FROM payee, signed, (SELECT count(*) AS lines, sum(fen)::bigint AS fen FROM due) AS due
        WHERE payee.id = :payee AND due.fen > 0
        RETURNING id
    ),
    gathered AS (
        INSERT INTO remittance_line (batch_id, posting_id, payee_id, posted_on, amount_fen, is_live)
        SELECT made.id, posting_id, :payee, posted_on, fen, true FROM made, due
    )
    SELECT id FROM made
    """
).bindparams(bindparam("key", type_=Uuid), bindparam("by", type_=Text))
