"""Which lots the city may be told of."""

from sqlalchemy import ColumnElement, and_, not_

from app.domain.lots.models import Lot
from app.domain.units.queries import secret

MAY_BE_TOLD: ColumnElement[bool] = and_(Lot.state.in_(("open", "suspended", "withdrawn")), not_(secret(Lot.unit_id)))
"""A lot that the city once heard of may still be told after its withdrawal; of a 涉密 unit's nothing ever (N2.1)."""
