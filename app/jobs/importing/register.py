"""What the city's register holds already, as far as an import must know it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import select

from app.domain.lots.models import Bay, Entrance, Lot
from app.domain.staff.rules import Actor, reach
from app.domain.units.models import Unit
from app.domain.units.queries import within
from app.jobs.importing.sheets import LOTS, UNITS
from app.kernel.db import current

LotName = tuple[str, str]
"""The unit's credit code and the lot's name."""


@dataclass
class Counts:
    """How many rows of a sheet were new, changed what was known, or were known already."""

    new: int = 0
    changed: int = 0
    same: int = 0


@dataclass
class Known:
    """A lot that the register holds: its row, and whether it is new in this very import."""

    id: int
    state: str
    fields: Mapping[str, Any]
    is_new: bool = False

    @property
    def may_change(self) -> bool:
        """A draft may be brought up to the file; what people have decided on may not."""
        return self.state == "draft"


@dataclass
class Register:
    """Units by credit code, lots by unit and name, within the reach of who imports; others are not known."""

    by: Actor
    units: dict[str, tuple[int, Mapping[str, Any]]] = field(default_factory=dict)
    lots: dict[LotName, Known] = field(default_factory=dict)
    faulty: set[str | LotName] = field(default_factory=set)
    """Units and lots whose own row has a fault: what belongs to them is not blamed for it."""

    def __post_init__(self) -> None:
        own = within(reach(self.by, "lots.import"))
        for unit in current().scalars(select(Unit).where(Unit.credit_code.is_not(None), own)):
            self.units[str(unit.credit_code)] = (unit.id, fields_of(unit))
        rows = current().execute(select(Lot, Unit.credit_code).join(Unit, Unit.id == Lot.unit_id).where(own))
        for lot, code in rows:
            self.lots[str(code), lot.name] = Known(lot.id, lot.state, fields_of(lot))

    def lose(self, sheet: str, row: Mapping[str, Any]) -> None:
        """Remember a unit or lot whose row has a fault, as far as the row says which it is."""
        if sheet in {UNITS.title, LOTS.title} and "credit_code" in row:
            self.faulty.add(row["credit_code"] if sheet == UNITS.title else (row["credit_code"], row.get("lot", "")))

    def is_lost(self, name: LotName) -> bool:
        """Whether the lot or its unit was told with a fault."""
        return name in self.faulty or name[0] in self.faulty

    @cached_property
    def bays(self) -> Mapping[int, Mapping[str, tuple[str, str, bool]]]:
        """Bays of the lots that were there before this import: zone, kind and whether shared, by lot and number."""
        found: dict[int, dict[str, tuple[str, str, bool]]] = {}
        old = [lot.id for lot in self.lots.values() if not lot.is_new]
        rows = current().execute(
            select(Bay.lot_id, Bay.number, Bay.zone, Bay.kind, Bay.shared).where(Bay.lot_id.in_(old))
        )
        for lot_id, number, zone, kind, shared in rows:
            found.setdefault(lot_id, {})[number] = (zone, kind, shared)
        return found

    @cached_property
    def entrances(self) -> Mapping[tuple[int, str], Entrance]:
        """Entrances by lot and name."""
        return {(each.lot_id, each.name): each for each in current().scalars(select(Entrance))}


def fields_of(row: Any) -> Mapping[str, Any]:
    """The columns of a row by name."""
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def differing(known: Mapping[str, Any], told: Mapping[str, Any]) -> list[str]:
    """The names of those told things that are known otherwise; points are told to some ten centimetres."""
    return [name for name, value in told.items() if not _same(known[name], value)]


def _same(known: Any, told: Any) -> bool:
    if isinstance(known, float) and isinstance(told, float):
        return abs(known - told) < 1e-6  # noqa: PLR2004 - degrees
    return bool(known == told)
