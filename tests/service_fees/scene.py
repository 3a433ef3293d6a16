"""An organ whose lot an operator runs: what its lot takes, on which days, and what was agreed of it."""

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from app.domain.lots.models import Lot
from app.domain.service_fees.actions import confirm_terms, draft, record_terms
from app.domain.service_fees.models import ServiceFeeLine, ServiceFeeStatement, ServiceFeeTerms
from app.domain.service_fees.rules import Agreed
from app.domain.staff.rules import Actor
from app.domain.stays.actions import open_payment
from app.domain.units.actions import sign_agreement
from app.domain.units.models import Operator
from app.kernel import clock
from app.kernel.db import transaction
from payments.charges.models import Payment
from payments.charges.queries import charge, payments_of
from payments.ledger.actions import close_day
from payments.ledger.queries import open_days_before
from tests.finance.scene import earned
from tests.remittance.scene import Unit as Books
from tests.units.stand import terms, unit_of
from tests.world import driver, gate, paid, paper, parked_stay, shanghai, staff

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
DOCUMENT = "委托〔2026〕3号"


@dataclass
class Entrusted:
    """A lot of an organ, its operator, the books of its payee, and two persons of finance."""

    lot: Lot
    operator: Operator
    books: Books
    maker: Actor
    checker: Actor

    @property
    def unit_key(self) -> uuid.UUID:
        return unit_of(self.lot).key

    def entrusts(self, *lots: Lot, since: str = "2026-06-01 00:00", days: float = 365) -> None:
        """The unit has signed an agreement with the operator about these lots."""
        told = terms(lots, shanghai(since), days)
        sign_agreement(staff("regulator"), self.unit_key, self.operator.key, told, paper())

    def records(
        self, first: date = JUNE, last: date | None = None, *, permille: int = 85, monthly_fen: int = 0
    ) -> ServiceFeeTerms:
        """Terms that nobody has confirmed."""
        told = Agreed(first, last, permille, monthly_fen, DOCUMENT)
        return record_terms(self.maker, self.operator.key, self.unit_key, told, paper())

    def agrees(
        self, first: date = JUNE, last: date | None = None, *, permille: int = 85, monthly_fen: int = 0
    ) -> ServiceFeeTerms:
        """Terms that one person recorded and another confirmed."""
        return confirm_terms(self.checker, self.records(first, last, permille=permille, monthly_fen=monthly_fen).key)

    def acting_as_checker(self, somebody: Actor) -> Actor:
        """The same person, with a checker's role of the city as well."""
        return replace(somebody, grants=(*somebody.grants, *self.checker.grants))

    def takes(self) -> Payment:
        """A car stays for less than an hour; its motorist pays 5 yuan and the service is rendered."""
        who = driver()
        stay = parked_stay(who, gate(self.lot))
        self.books.move_to(clock.now() + timedelta(minutes=40))
        key = open_payment(who.id, stay.key)
        paid(key)
        payment = payments_of(charge(key).id)[0]
        earned(payment)
        return payment

    def is_over(self, month: date, *, signed: bool = True) -> None:
        """It is the evening after a month: its books are closed, and its days since the 10th of June are signed off.

        Not `signed`: the bill of its last day is due, and nobody has signed any.
        """
        after = (month + timedelta(days=31)).replace(day=1)
        self.books.move_to(datetime(after.year, after.month, 1, 12, tzinfo=UTC))
        for day in open_days_before(after):
            close_day(day, "test")
        if not signed:
            self.books.expects(after - timedelta(days=1))
            return
        first = max(month, date(2026, 6, 10))
        for number in range((after - first).days):
            self.books.signs(first + timedelta(days=number))

    def drafts(self, month: date = JUNE) -> ServiceFeeStatement:
        return draft(self.maker, self.operator.key, self.unit_key, month)


def lines_of(made: ServiceFeeStatement) -> list[ServiceFeeLine]:
    """The lines of a statement in the order in which their terms were recorded, then of their lots."""
    with transaction() as session:
        mine = session.query(ServiceFeeLine).filter_by(statement_id=made.id)
        return mine.order_by(ServiceFeeLine.terms_id, ServiceFeeLine.lot_id).all()
