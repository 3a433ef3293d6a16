"""Money that nobody could place for long is brought before a person."""

from datetime import timedelta

from app.kernel import clock
from app.kernel.db import transaction
from payments.charges.actions.cases import open_case
from payments.reconciliation.queries import suspense


def watch_suspense(old_days: int) -> int:
    """Open a case for each thing that stands in suspense for longer than that; returns how many there are."""
    with transaction():
        before = clock.now() - timedelta(days=old_days)
        old = [each for each in suspense() if each.since < before]
        for each in old:
            told = {"payee_id": each.payee_id, "sub_mchid": each.sub_mchid, "class": each.klass, "fen": each.fen,
                    "owner": each.owner}  # fmt: skip
            open_case("suspense_old", f"suspense:{each.key}", 2, **told, since=each.since.isoformat())
        return len(old)
