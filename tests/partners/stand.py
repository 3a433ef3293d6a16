"""Around a partner in tests: registered ones, and a signing hand."""

import secrets
import uuid
from dataclasses import dataclass

from app.domain.partners import actions as partners
from app.domain.partners.actions import NewKey
from app.domain.partners.models import Partner
from app.domain.units.models import Operator, Unit
from app.kernel.db import transaction
from tests.world import staff


@dataclass(frozen=True)
class Registered:
    """A partner and its first key."""

    id: int
    key: uuid.UUID
    made: NewKey


def partner_of(unit_id: int | None = None, operator_id: int | None = None) -> Registered:
    """The system of a unit or of an operator, registered."""
    with transaction() as session:
        unit = session.get_one(Unit, unit_id).key if unit_id else None
        operator = session.get_one(Operator, operator_id).key if operator_id else None
    name = f"示例系统{secrets.token_hex(4)}"
    made = partners.register(staff("administrator"), name, unit=unit, operator=operator)
    with transaction() as session:
        return Registered(session.query(Partner.id).filter_by(key=made.partner).scalar() or 0, made.partner, made)
