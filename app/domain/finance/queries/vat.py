"""What enterprises earned by method and rate of VAT: closed days out of kept turnover, open ones out of postings."""

from datetime import date
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, Boolean, Date, bindparam, text

from app.domain.finance.queries.recipients import recipients
from app.domain.finance.rules import VatLine
from app.domain.staff.rules import Actor, reach
from app.kernel.db import transaction
from payments.ledger.queries import closed_through
from payments.payees.queries import samples_accepted


def vat(by: Actor, first: date, last: date) -> list[VatLine]:
    """What enterprises within one's reach earned from `first` to `last`, by method and rate of VAT, gross.

    A day's rate is the one that was confirmed for it, of two the later. Who may not see all units of an enterprise does
    not see its tax. Refuses `NotPermitted`.
    """
    with transaction() as session:
        whole = [whose.payee_id for whose in recipients(reach(by, "finance.see_revenue")) if whose.unit_id is None]
        told: dict[str, Any] = {
            "first": first, "last": last, "payees": whole, "closed": closed_through() or date.min,
            "samples": samples_accepted(),
        }  # fmt: skip
        return [VatLine(*row) for row in session.execute(_TAXED, told)]


_TAXED: Final = text(
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
).bindparams(
    bindparam("payees", type_=ARRAY(BigInteger)),
    bindparam("samples", type_=Boolean),
    *(bindparam(name, type_=Date) for name in ("first", "last", "closed")),
)
