"""Papers that ended batches: the bank's of a return, the treasury's of a refusal."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, CompoundSelect, Date, SelectBase, column, literal, select, union_all

from app.kernel.db import transaction
from app.kernel.files import KeptPaper, StoredFile, told_of
from app.kernel.money import Fen
from app.kernel.refusals import NotFound
from payments.payees.models import Payee
from payments.remittance.models import RemittanceBatch, RemittanceBounce, RemittanceRefusal
from payments.remittance.queries.batches import PAGE

RETURNED, REFUSED = "退汇凭证", "不予受理凭证"


class NoBatchPaper(NotFound):
    """Neither the bank gave this remittance back nor did the treasury refuse it."""

    code = "no_remittance_paper"
    message = "该上缴批次没有退汇或不予受理凭证"


@dataclass(frozen=True)
class BatchPaper:
    """A paper that ended a batch, the bank's or the treasury's: its number and day, and the file that is kept."""

    batch: uuid.UUID
    payee: str
    kind: str
    number: str
    on: date
    amount_fen: Fen
    file: KeptPaper


def papers(*, payees: Collection[int] | None = None, limit: int = PAGE) -> list[BatchPaper]:
    """The papers by which banks gave batches back and treasuries refused them, the newest first."""
    paper = _PAPERS.subquery()
    wanted = (
        select(paper, RemittanceBatch.key, RemittanceBatch.amount_fen, Payee.name, StoredFile)
        .join(RemittanceBatch, RemittanceBatch.id == paper.c.batch_id)
        .join(Payee, Payee.id == RemittanceBatch.payee_id)
        .join(StoredFile, StoredFile.id == paper.c.file_id)
        .order_by(paper.c.recorded_at.desc())
        .limit(limit)
    )
    if payees is not None:
        wanted = wanted.where(RemittanceBatch.payee_id.in_(payees))
    with transaction() as session:
        return [
            BatchPaper(each.key, each.name, each.kind, each.number, each.on, each.amount_fen, told_of(each.StoredFile))
            for each in session.execute(wanted)
        ]


def paper_of(batch_id: int) -> int:
    """The id of the file with the paper that ended a batch. Refuses `NoBatchPaper`."""
    paper = _PAPERS.subquery()
    with transaction() as session:
        found = session.scalar(select(paper.c.file_id).where(paper.c.batch_id == batch_id))
        if found is None:
            raise NoBatchPaper
        return int(found)


def _paper(kind: str, of: type[RemittanceBounce | RemittanceRefusal], on: ColumnElement[date]) -> SelectBase:
    return select(literal(kind).label("kind"), of.batch_id, of.number, on.label("on"), of.file_id, of.recorded_at)


_PAPERS: Final[CompoundSelect[Any]] = union_all(
    _paper(RETURNED, RemittanceBounce, column("returned_on", Date)),
    _paper(REFUSED, RemittanceRefusal, column("refused_on", Date)),
)
