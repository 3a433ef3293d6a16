"""A batch has left its payee's account: a line of the bank names its document and its very sum."""

from typing import Any, Final

from sqlalchemy import select, text

from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict
from payments.bank.queries import IS_FREE
from payments.charges.actions.cases import open_case
from payments.remittance.actions.steps import move, prove
from payments.remittance.models import RemittanceBatch
from payments.remittance.queries import reference_of
from payments.remittance.rules import PLATFORM

BY_BANK: Final = "银行流水载明缴款书号，金额相符"


class LineTaken(Conflict):
    """At this very moment two persons said that the line is something else: the batch has not left by it."""

    code = "bank_line_taken"
    message = "该笔银行流水已另有说明"


def find_departures() -> int:
    """Look for each batch that was sent among what left its payee's bank; returns how many were found.

    The line must name the document and be for the very sum; one that names it with another sum is a case, and so is a
    document that several lines name. A line that something else explains proves no batch, and holds up no other. That
    the money left is no word of the treasury's that it came.
    """
    with transaction():
        return sum(_found(batch_id) for batch_id in _sent())


def _sent() -> list[int]:
    return list(current().scalars(select(RemittanceBatch.id).filter_by(state="sent").order_by(RemittanceBatch.id)))


def _found(batch_id: int) -> bool:
    batch = current().scalars(select(RemittanceBatch).filter_by(id=batch_id).with_for_update()).one()
    lines = current().execute(_NAMED, {"payee": batch.payee_id, "document": batch.document_number}).all()
    if batch.state != "sent" or not lines:
        return False
    if len(lines) > 1 or lines[0].amount_fen != -batch.amount_fen:
        told = {"payee_id": batch.payee_id, "fen": batch.amount_fen, "lines_fen": [each.amount_fen for each in lines]}
        open_case("remittance_differs_at_bank", reference_of(batch), 2, **told)
        return False
    return _left(batch, lines[0])


def _left(batch: RemittanceBatch, line: Any) -> bool:
    try:
        with refusing({"a_bank_line_is_one_thing": LineTaken}):
            move(batch, "leave", PLATFORM, BY_BANK)
            prove(batch, line.booked_on, PLATFORM, statement_id=line.statement_id, line=line.number)
    except LineTaken:
        return False
    return True


_NAMED: Final = text(
    f"""
    SELECT line.statement_id, line.number, line.amount_fen, line.booked_on
    FROM bank_statement statement JOIN bank_line line ON line.statement_id = statement.id
    WHERE statement.payee_id = :payee
      AND line.reference ~ ('(^|[^0-9A-Z-])' || CAST(:document AS text) || '($|[^0-9A-Z-])')
      AND {IS_FREE}
    """  # noqa: S608 - all parts are written here
)
