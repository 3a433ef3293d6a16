"""The city's districts."""

from sqlalchemy.dialects.postgresql import insert

from app.domain.units.models import District
from app.domain.units.rules import DISTRICTS
from app.kernel.db import current, transaction


def know_districts() -> None:
    """Store the city's districts; those already known stay as they are."""
    with transaction():
        current().execute(
            insert(District)
            .values([{"code": code, "name": name} for code, name in DISTRICTS.items()])
            .on_conflict_do_nothing()
        )
