"""Which number holds here and now."""

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import and_, or_, select

from app.domain.policies.models import PolicyNumber
from app.domain.policies.rules import CITY_DEFAULTS, narrowest
from app.kernel import clock
from app.kernel.db import transaction


def numbers(*, lot_id: int = 0, unit_id: int = 0) -> Mapping[str, int]:
    """All policy numbers by name as they hold at this moment for one lot of one unit."""
    with transaction() as session:
        rows = session.execute(
            select(PolicyNumber.name, PolicyNumber.scope, PolicyNumber.value).where(
                PolicyNumber.valid.contains(clock.now()),
                or_(
                    PolicyNumber.scope == "city",
                    and_(PolicyNumber.scope == "unit", PolicyNumber.scope_id == unit_id),
                    and_(PolicyNumber.scope == "lot", PolicyNumber.scope_id == lot_id),
                ),
            )
        ).all()
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for name, scope, value in rows:
        found[name].append((scope, value))
    return {name: narrowest(name, found[name]) for name in CITY_DEFAULTS}
