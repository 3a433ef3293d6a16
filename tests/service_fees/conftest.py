"""An organ's lot that an operator runs since 1 June, on the evening of 10 June."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg
import pytest

from app.domain.lots.queries import payee_at
from app.kernel import clock
from app.kernel.db import transaction
from payments.payees.models import Payee
from tests.remittance.scene import Unit as Books
from tests.service_fees.scene import Entrusted
from tests.world import hourly, open_lot, registered_operator, staff


@pytest.fixture
def entrusted(
    evening: datetime, at: Callable[[datetime], None], admin: psycopg.Connection[Any]
) -> Entrusted:  # fmt: skip
    lot = open_lot(kind="organ", parameters=hourly(500))
    with transaction() as session:
        receives = session.get_one(Payee, payee_at(lot.id, clock.now()))
    maker, checker = staff("finance_maker", district_code="330106"), staff("finance_checker")
    made = Entrusted(lot, registered_operator(), Books(admin, at, receives), maker, checker)
    made.entrusts(lot)
    return made


@pytest.fixture
def program(database_urls: tuple[str, str]) -> str:
    """A connection string of the program's own role, for hand-written SQL."""
    return database_urls[1].replace("postgresql+psycopg", "postgresql")


@pytest.fixture
def owner(database_urls: tuple[str, str]) -> str:
    """A connection string of the schema's owner, for hand-written SQL."""
    return database_urls[0].replace("postgresql+psycopg", "postgresql")
