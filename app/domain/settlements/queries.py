"""What finance people see of settlement statements: those of the payees within their reach."""

from datetime import date

from app.domain.payees.queries import payees_within
from app.domain.staff.rules import Actor, reach
from app.kernel.db import transaction
from payments.settlement import queries as settlements
from payments.settlement.queries import PAGE, SettlementSheet


def statements(
    by: Actor, *, first: date | None = None, state: str | None = None, limit: int = PAGE
) -> list[SettlementSheet]:  # fmt: skip
    """Statements, the newest first. Refuses `NotPermitted`."""
    with transaction():
        seen = payees_within(reach(by, "settlements.see"))
        return settlements.settlements(payees=seen, first=first, state=state, limit=limit)
