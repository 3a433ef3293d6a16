"""Revenue within a person's reach: closed days out of their kept turnover, open ones out of the postings themselves."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, Boolean, Date, DateTime, bindparam, func, select, text

from app.domain.finance.models import MoneyUse
from app.domain.finance.rules import (
    LEVELS,
    Figures,
    Recipient,
    RevenueLine,
    Takings,
    VatLine,
    check_dimensions,
    month_of,
    summed,
    total,
)
from app.domain.lots.models import LotPayee
from app.domain.staff.queries import logins
from app.domain.staff.rules import Actor, Place, Scope, reach
from app.domain.units.models import District, Unit
from app.kernel.clock import SHANGHAI
from app.kernel.db import current, transaction
from app.kernel.money import Fen
from app.kernel.refusals import NotFound
from payments.ledger.queries import closed_through
from payments.payees.models import Payee
from payments.payees.queries import samples_accepted

NOWHERE: Final = "—"


@dataclass(frozen=True)
class Revenue:
    """A report: its span, by what it is told, the lines and their sum; `closed` says up to which day it is final."""

    first: date
    last: date
    by: tuple[str, ...]
    lines: Sequence[RevenueLine]
    total: Figures
    closed: date | None


@dataclass(frozen=True)
class SeenUse:
    """What a unit reported for a month and a purpose, the newest word."""

    month: date
    unit: str
    purpose: str
    amount_fen: Fen
    basis: str
    reported_by: str
    reported_at: datetime


def revenue(by: Actor, first: date, last: date, dimensions: Sequence[str]) -> Revenue:
    """What was charged, paid, returned, earned and remitted from `first` to `last`, both included.

    A payee lies where all the units lie whose lots pay it: whoever may not see one of them does not see the payee.
    Refuses `NotPermitted`, `NotADimension`.
    """
    with transaction() as session:
        seen = _recipients(reach(by, "finance.see_revenue"))
        check_dimensions(dimensions)
        session.execute(select(func.set_config("statement_timeout", "60000", True)))
        lines = summed(_takings(first, last, list(seen)), seen, dimensions)
        return Revenue(first, last, tuple(dimensions), lines, total(lines), closed_through())


def vat(by: Actor, first: date, last: date) -> list[VatLine]:
    """What enterprises within one's reach earned from `first` to `last`, by method and rate of VAT, gross.

    A day's rate is the one that was confirmed for it, of two the later. Refuses `NotPermitted`.
    """
    with transaction() as session:
        seen = list(_recipients(reach(by, "finance.see_revenue")))
        told = _span(first, last, seen) | {"samples": samples_accepted()}
        return [VatLine(*row) for row in session.execute(_TAXED, told)]


def uses(by: Actor, month: date) -> list[SeenUse]:
    """What units within this person's reach reported for a month. Refuses `NotPermitted`."""
    with transaction() as session:
        scopes = reach(by, "finance.see_uses")
        newest = (
            select(func.max(MoneyUse.id)).where(MoneyUse.month == month).group_by(MoneyUse.unit_id, MoneyUse.purpose)
        )
        rows = session.execute(
            select(MoneyUse, Unit).join(Unit, Unit.id == MoneyUse.unit_id).where(MoneyUse.id.in_(newest))
            .order_by(Unit.name, MoneyUse.purpose)
        ).all()  # fmt: skip
        seen = [(use, unit) for use, unit in rows if any(scope.covers(unit.place) for scope in scopes)]
        names = logins([use.reported_by for use, _ in seen])
        return [
            SeenUse(
                use.month, unit.name, use.purpose, use.amount_fen, use.basis, names[use.reported_by], use.reported_at
            )
            for use, unit in seen
        ]


def unit_by(key: uuid.UUID) -> Unit:
    """The unit by its public key; what may be done with it is asked elsewhere. Refuses `NotFound`."""
    unit = current().scalar(select(Unit).filter_by(key=key))
    if unit is None:
        raise NotFound
    return unit


def last_version(unit_id: int, month: date, purpose: str) -> int:
    """How often a unit has reported for a month and purpose."""
    told = select(func.coalesce(func.max(MoneyUse.version), 0))
    return int(current().scalar(told.filter_by(unit_id=unit_id, month=month, purpose=purpose)) or 0)


def _recipients(scopes: Sequence[Scope]) -> Mapping[int, Recipient]:
    units: dict[int, dict[int, Unit]] = {}
    served = select(LotPayee.payee_id, Unit).join(Unit, Unit.id == LotPayee.unit_id).distinct()
    for payee_id, unit in current().execute(served):
        units.setdefault(payee_id, {})[unit.id] = unit
    districts = {each.code: each.name for each in current().scalars(select(District))}
    found = {}
    for payee in current().scalars(select(Payee)):
        own = list(units.get(payee.id, {}).values())
        places = [unit.place for unit in own] or [Place(payee.district_code)]
        if all(any(scope.covers(place) for scope in scopes) for place in places):
            found[payee.id] = _recipient(payee, own, districts)
    return found


def _recipient(payee: Payee, units: Sequence[Unit], districts: Mapping[str, str]) -> Recipient:
    codes = {unit.district_code for unit in units} or {payee.district_code or ""}
    levels = {payee.level} if payee.level else {unit.level for unit in units}
    return Recipient(
        payee=payee.name,
        unit=_listed({unit.name for unit in units}),
        district=_listed({districts.get(code, code) for code in codes}),
        level=_listed({LEVELS[level] for level in levels}),
        item=payee.item_code or NOWHERE,
    )


def _listed(words: set[str]) -> str:
    return "、".join(sorted(word for word in words if word)) or NOWHERE


def _takings(first: date, last: date, payees: list[int]) -> list[Takings]:
    told = _span(first, last, payees) | {
        "begins": datetime.combine(first, time(), SHANGHAI),
        "ends": datetime.combine(last + timedelta(days=1), time(), SHANGHAI),
    }  # fmt: skip
    return [
        Takings(day, payee_id, Figures(*map(int, figures)))
        for question in (_POSTED, _CHARGED)
        for day, payee_id, *figures in current().execute(question, told)
    ]


def _span(first: date, last: date, payees: list[int]) -> dict[str, Any]:
    return {"first": first, "last": last, "payees": payees, "closed": closed_through() or date.min}


_BOUND = (
    bindparam("payees", type_=ARRAY(BigInteger)), bindparam("first", type_=Date), bindparam("last", type_=Date),
    bindparam("closed", type_=Date),
)  # fmt: skip

_POSTED = text(
    """
    WITH moved AS (
        SELECT day, payee_id, code, turnover_daily.kind, debit_fen, credit_fen
        FROM turnover_daily JOIN account ON account.id = account_id
        WHERE day BETWEEN :first AND least(:last, :closed) AND payee_id = ANY(:payees)
        UNION ALL
        SELECT posted_on, journal.payee_id, code, journal.kind, greatest(amount_fen, 0), greatest(-amount_fen, 0)
        FROM journal JOIN posting ON posting.journal_id = journal.id JOIN account ON account.id = account_id
        WHERE posted_on BETWEEN greatest(:first, :closed + 1) AND :last AND journal.payee_id = ANY(:payees)
    ), sums AS (
        SELECT day, payee_id,
            sum(debit_fen) FILTER (WHERE code = 'wx_receivable' AND kind IN ('payment', 'surplus')) AS paid,
            sum(credit_fen - debit_fen) FILTER (WHERE code = 'wx_receivable' AND kind LIKE 'refund%') AS refunded,
            sum(debit_fen - credit_fen) FILTER (WHERE code = 'wx_fee') AS fee,
            sum(credit_fen - debit_fen) FILTER (
                WHERE kind NOT IN ('remittance', 'remittance_bounce') AND code IN ('due_to_treasury', 'revenue')
                OR kind <> 'refund_by_treasury' AND code = 'treasury_refund_claim'
            ) AS earned,
            sum(credit_fen) FILTER (WHERE kind = 'refund_by_treasury' AND code = 'treasury_refund_claim') AS repaid,
            sum(debit_fen) FILTER (WHERE kind <> 'remittance_bounce' AND code = 'bank') AS settled,
            sum(debit_fen - credit_fen) FILTER (
                WHERE kind IN ('remittance', 'remittance_bounce') AND code = 'due_to_treasury'
            ) AS remitted,
            sum(credit_fen - debit_fen) FILTER (
                WHERE kind NOT IN ('remittance', 'remittance_bounce') AND code = 'due_to_treasury' AND NOT EXISTS (
                    SELECT FROM remittance_batch batch WHERE batch.payee_id = moved.payee_id
                    AND batch.state IN ('sent', 'left', 'received') AND batch.days @> moved.day
                )
            ) AS unremitted
        FROM moved GROUP BY day, payee_id
    )
    SELECT day, payee_id, 0, coalesce(paid, 0), coalesce(refunded, 0), coalesce(repaid, 0), coalesce(fee, 0),
           coalesce(earned, 0),
           coalesce(settled, 0), coalesce(remitted, 0), coalesce(unremitted, 0), 0
    FROM sums
    """
).bindparams(*_BOUND)
"""What is remitted was earned all the same; a day is remitted whole, so what of it is not is told by its day."""

_CHARGED = text(
    """
    SELECT (created_at AT TIME ZONE 'Asia/Shanghai')::date, payee_id,
           coalesce(sum(amount_fen) FILTER (WHERE state <> 'closed'), 0), 0, 0, 0, 0, 0, 0, 0, 0,
           coalesce(sum(amount_fen) FILTER (WHERE state IN ('created', 'closing')), 0)
    FROM charge WHERE created_at >= :begins AND created_at < :ends AND payee_id = ANY(:payees) GROUP BY 1, 2
    """
).bindparams(
    bindparam("payees", type_=ARRAY(BigInteger)), bindparam("begins", type_=DateTime(timezone=True)),
    bindparam("ends", type_=DateTime(timezone=True)),
)  # fmt: skip


_TAXED = text(
    """
    WITH moved AS (
        SELECT day, payee_id, credit_fen - debit_fen AS fen
        FROM turnover_daily JOIN account ON account.id = account_id
        WHERE code = 'revenue' AND day BETWEEN :first AND least(:last, :closed) AND payee_id = ANY(:payees)
        UNION ALL
        SELECT posted_on, journal.payee_id, -amount_fen
        FROM journal JOIN posting ON posting.journal_id = journal.id JOIN account ON account.id = account_id
        WHERE code = 'revenue' AND posted_on BETWEEN greatest(:first, :closed + 1) AND :last
          AND journal.payee_id = ANY(:payees)
    )
    SELECT payee.name, vat_method, vat_basis_points, sum(fen)::bigint
    FROM moved JOIN payee ON payee.id = moved.payee_id
    LEFT JOIN LATERAL (
        SELECT vat_method, vat_basis_points FROM receipt_terms
        WHERE receipt_terms.payee_id = moved.payee_id AND confirmed_by IS NOT NULL AND (:samples OR NOT sample)
          AND receipt_terms.valid && tstzrange(day::timestamp AT TIME ZONE 'Asia/Shanghai',
                                               (day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai')
        ORDER BY lower(receipt_terms.valid) DESC LIMIT 1
    ) AS taxed ON true
    GROUP BY payee.id, vat_method, vat_basis_points HAVING sum(fen) <> 0
    ORDER BY payee.name, payee.id, vat_basis_points
    """
).bindparams(*_BOUND, bindparam("samples", type_=Boolean))


def span_of(month: date, to: date | None) -> tuple[date, date]:
    """From a month's first day to its last, or to that of a later month."""
    return month_of(month)[0], month_of(to or month)[1]
