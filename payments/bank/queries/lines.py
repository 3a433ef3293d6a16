"""Which bank lines nothing explains, since when and whose they are; and whether the bank holds what the books say."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select, text

from app.kernel.db import current, transaction
from app.kernel.money import Fen
from app.kernel.refusals import NotFound
from payments.bank.models import BankLine, BankStatement, LineMeaning
from payments.reconciliation.rules import office

IS_FREE: Final = """
    NOT EXISTS (SELECT FROM settlement_arrival known
                WHERE known.statement_id = line.statement_id AND known.line = line.number)
    AND NOT EXISTS (SELECT FROM remittance_receipt known
                    WHERE known.statement_id = line.statement_id AND known.line = line.number)
    AND NOT EXISTS (SELECT FROM return_arrival known
                    WHERE known.statement_id = line.statement_id AND known.line = line.number)
    AND NOT EXISTS (SELECT FROM line_meaning known WHERE known.statement_id = line.statement_id
                    AND known.line = line.number AND known.state = 'accepted')"""
"""Of a `line` of the bank: nothing that we expected is it, and nobody's word on it was accepted."""


class NoSuchLine(NotFound):
    """No such line of a statement."""

    code = "no_such_bank_line"
    message = "未找到该笔银行流水"


class NoSuchMeaning(NotFound):
    """Nobody has said so."""

    code = "no_such_bank_line_meaning"
    message = "未找到该流水说明"


@dataclass(frozen=True)
class LooseLine:
    """A bank line that nothing explains; `owner` is the finance office of its payee's place."""

    statement: uuid.UUID
    statement_id: int
    line: int
    payee_id: int
    payee: str
    account: str
    booked_on: date
    amount_fen: Fen
    owner: str
    waiting: uuid.UUID | None


@dataclass(frozen=True)
class MeaningView:
    """What somebody says of a bank line, as people see it."""

    key: uuid.UUID
    statement: uuid.UUID
    line: int
    payee_id: int
    booked_on: date
    amount_fen: Fen
    meaning: str
    because: str
    made_by: str
    made_at: datetime
    state: str
    decided_by: str | None


@dataclass(frozen=True)
class BankBalance:
    """What a payee's bank holds, against its account `bank` (余额调节), as far as statements reach (`through`).

    `opening + elsewhere + unexplained + ledger - in_transit + gap = closing`. `in_transit` is posted and not at the
    bank yet, less what is there and not posted yet. A gap is a statement that is missing or doubled, or a posting that
    no line and no expected thing explains.
    """

    payee_id: int
    payee: str
    through: date
    opening_fen: Fen
    closing_fen: Fen
    ledger_fen: Fen
    in_transit_fen: Fen
    elsewhere_fen: Fen
    unexplained_fen: Fen

    @property
    def gap_fen(self) -> Fen:
        told = self.opening_fen + self.elsewhere_fen + self.unexplained_fen + self.ledger_fen - self.in_transit_fen
        return self.closing_fen - told


def unexplained(
    *, payees: Collection[int] | None = None, watched: bool = False, limit: int | None
) -> list[LooseLine]:  # fmt: skip
    """Lines that nothing explains, the oldest first; of these payees or of watched statements alone, if asked."""
    told = {
        "payees": None if payees is None else list(payees), "watched": watched, "statement": None, "line": None,
        "at_most": limit,
    }  # fmt: skip
    with transaction() as session:
        return [_loose(row) for row in session.execute(_LOOSE, told)]


def unexplained_line(of: uuid.UUID, number: int) -> LooseLine | None:
    """One such line; none: something explains it. Refuses `NoSuchLine`."""
    with transaction() as session:
        if session.get(BankLine, (statement(of).id, number)) is None:
            raise NoSuchLine
        told = {"payees": None, "watched": False, "statement": of, "line": number, "at_most": 1}
        row = session.execute(_LOOSE, told).one_or_none()
        return None if row is None else _loose(row)


def statement(key: uuid.UUID) -> BankStatement:
    """The statement by its public key. Refuses `NoSuchLine`."""
    with transaction() as session:
        found = session.scalar(select(BankStatement).filter_by(key=key))
        if found is None:
            raise NoSuchLine
        return found


def meaning(key: uuid.UUID) -> LineMeaning:
    """What somebody said of a line, by its public key. Refuses `NoSuchMeaning`."""
    with transaction() as session:
        found = session.scalar(select(LineMeaning).filter_by(key=key))
        if found is None:
            raise NoSuchMeaning
        return found


def meanings(*, payees: Collection[int] | None = None, state: str | None = None, limit: int = 200) -> list[MeaningView]:
    """What was said of bank lines, the newest first; in one state and of these payees alone, if named."""
    wanted = (
        select(LineMeaning, BankStatement.key, BankLine.booked_on)
        .join(BankStatement, BankStatement.id == LineMeaning.statement_id)
        .join(BankLine, (BankLine.statement_id == LineMeaning.statement_id) & (BankLine.number == LineMeaning.line))
        .order_by(LineMeaning.id.desc())
    )
    if payees is not None:
        wanted = wanted.where(LineMeaning.payee_id.in_(payees))
    if state is not None:
        wanted = wanted.where(LineMeaning.state == state)
    with transaction() as session:
        return [
            MeaningView(
                each.key, of, each.line, each.payee_id, booked_on, each.amount_fen, each.meaning, each.because,
                each.made_by, each.made_at, each.state, each.decided_by,
            )
            for each, of, booked_on in session.execute(wanted.limit(limit))
        ]  # fmt: skip


def balances(*, payees: Collection[int] | None = None) -> list[BankBalance]:
    """What the banks of payees with statements hold, against the books; of these payees alone, if named."""
    with transaction():
        rows = current().execute(_BALANCES, {"payees": None if payees is None else list(payees)})
        return [BankBalance(*row) for row in rows]


def _loose(row: Any) -> LooseLine:
    return LooseLine(
        row.statement, row.statement_id, row.line, row.payee_id, row.payee, row.account, row.booked_on, row.amount_fen,
        office(row.district_code), row.waiting,
    )  # fmt: skip


_LOOSE: Final = text(
    f"""
    SELECT statement.key AS statement, statement_id, line.number AS line, payee_id, payee.name AS payee, account,
           booked_on, line.amount_fen, payee.district_code, waiting.key AS waiting
    FROM bank_line line JOIN bank_statement statement ON statement.id = line.statement_id
    JOIN payee ON payee.id = statement.payee_id
    LEFT JOIN LATERAL (
        SELECT key FROM line_meaning said
        WHERE said.statement_id = line.statement_id AND said.line = line.number AND state = 'waiting'
    ) AS waiting ON true
    WHERE {IS_FREE} AND (CAST(:payees AS bigint[]) IS NULL OR payee.id = ANY(:payees))
      AND (NOT CAST(:watched AS boolean) OR statement.is_watched)
      AND (CAST(:statement AS uuid) IS NULL OR statement.key = :statement AND line.number = :line)
    ORDER BY line.booked_on, line.statement_id, line.number LIMIT :at_most
    """  # noqa: S608 - all parts are written here
)
_BALANCES: Final = text(
    f"""
    WITH spans AS (
        SELECT statement.*, coalesce(min(booked_on), (imported_at AT TIME ZONE 'Asia/Shanghai')::date) AS first_on,
               coalesce(max(booked_on), (imported_at AT TIME ZONE 'Asia/Shanghai')::date) AS last_on
        FROM bank_statement statement LEFT JOIN bank_line line ON line.statement_id = statement.id
        WHERE CAST(:payees AS bigint[]) IS NULL OR payee_id = ANY(:payees) GROUP BY statement.id
    ), held AS (
        SELECT payee_id, max(last_on) AS through, sum(opening_fen)::bigint AS opening,
               sum(closing_fen)::bigint AS closing
        FROM (
            SELECT DISTINCT payee_id, account, max(last_on) OVER same AS last_on,
                   first_value(opening_fen) OVER (same ORDER BY first_on, id) AS opening_fen,
                   first_value(closing_fen) OVER (same ORDER BY last_on DESC, id DESC) AS closing_fen
            FROM spans WINDOW same AS (PARTITION BY payee_id, account)
        ) AS by_account GROUP BY payee_id
    ), moved AS (
        SELECT payee_id, coalesce(sum(line.amount_fen) FILTER (WHERE {IS_FREE}), 0)::bigint AS unexplained,
               coalesce(sum(line.amount_fen) FILTER (WHERE EXISTS (
                   SELECT FROM line_meaning known WHERE known.statement_id = line.statement_id
                   AND known.line = line.number AND known.state = 'accepted' AND known.meaning = 'elsewhere'
               )), 0)::bigint AS elsewhere
        FROM spans JOIN bank_line line ON line.statement_id = spans.id GROUP BY payee_id
    ), ledger AS (
        SELECT posting.payee_id, sum(amount_fen)::bigint AS fen FROM account JOIN posting ON account_id = account.id
        WHERE code = 'bank' AND posting.payee_id IN (SELECT payee_id FROM held) GROUP BY 1
    ), settled AS (
        SELECT journal.payee_id, substr(business_ref, length('settlement:') + 1) AS flow_id, amount_fen
        FROM journal JOIN posting ON posting.journal_id = journal.id
        JOIN account ON account.id = account_id AND code = 'bank'
        WHERE journal.kind = 'settlement' AND journal.payee_id IN (SELECT payee_id FROM held)
    ), expected AS (
        SELECT payee_id, amount_fen AS fen FROM settled
        WHERE NOT EXISTS (SELECT FROM settlement_arrival known WHERE known.flow_id = settled.flow_id)
        UNION ALL SELECT spans.payee_id, -line.amount_fen
        FROM settlement_arrival arrival JOIN spans ON spans.id = arrival.statement_id
        JOIN bank_line line ON line.statement_id = arrival.statement_id AND line.number = arrival.line
        WHERE NOT EXISTS (SELECT FROM settled WHERE settled.flow_id = arrival.flow_id)
        UNION ALL SELECT payee_id, -amount_fen FROM remittance_batch batch
        WHERE document_number IS NOT NULL AND NOT EXISTS (
            SELECT FROM remittance_receipt known WHERE known.batch_id = batch.id AND statement_id IS NOT NULL
        )
        UNION ALL SELECT payee_id, amount_fen FROM remittance_bounce bounce
        WHERE NOT EXISTS (SELECT FROM return_arrival known WHERE known.batch_id = bounce.batch_id)
    ), in_transit AS (SELECT payee_id, sum(fen)::bigint AS fen FROM expected GROUP BY payee_id)
    SELECT payee.id, payee.name, held.through, opening, closing, coalesce(ledger.fen, 0), coalesce(in_transit.fen, 0),
           coalesce(elsewhere, 0), coalesce(unexplained, 0)
    FROM held JOIN payee ON payee.id = held.payee_id LEFT JOIN moved ON moved.payee_id = payee.id
    LEFT JOIN ledger ON ledger.payee_id = payee.id LEFT JOIN in_transit ON in_transit.payee_id = payee.id
    ORDER BY payee.id
    """  # noqa: S608 - all parts are written here
)
