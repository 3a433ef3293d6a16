"""Units open their lots, with bays, prices, references and a payee."""

from dataclasses import dataclass
from datetime import datetime
from math import cos, hypot, radians
from typing import Final

from app.domain.lots import actions as lots
from app.domain.lots.queries import METRES_PER_DEGREE, Point
from app.domain.pricing.actions import Approved, approve_references, charge_by, register_reference
from app.domain.units import actions as units
from app.domain.units.rules import DISTRICTS, NewOperator, NewUnit, sample_credit_code
from app.jobs.sample_city.payees import Payees
from app.jobs.sample_city.table import MARK, NEIGHBOURHOODS, OPERATORS, Neighbourhood, Opened
from app.jobs.sample_city.tariffs import Tariffs

ACTOR: Final = "sample-city"
FIRST_OPERATOR: Final = 9_000_000
"""Sample codes of operators are counted from here, those of units from zero."""

REACH_M: Final = 500.0
"""Which government-priced lots count as surrounding (N3.3): the notice names no distance, the city has to."""

APPROVAL: Final = f"{MARK}批复：按已公布标准执行"


@dataclass(frozen=True)
class Registered:
    """A reference lot and where it lies."""

    id: int
    point: Point


def open_city(tariffs: Tariffs, payees: Payees, since: datetime) -> list[int]:
    """Open every lot of the table; tariffs and payees hold from `since` on. Returns the ids of the lots."""
    for number, name in enumerate(OPERATORS, start=1):
        code = sample_credit_code("enterprise", FIRST_OPERATOR + number)
        units.enter_operator(NewOperator(name, code, f"0571-0000{number:04d}"), ACTOR)
    references = [each for around in NEIGHBOURHOODS for each in _register(around, tariffs, since)]
    opened = []
    for around in NEIGHBOURHOODS:
        for number, wanted in enumerate(around.lots, start=1):
            lot_id = _open(wanted, around, number)
            charge_by(lot_id, tariffs.at(around.references[0].tariff, wanted.price), since, ACTOR)
            lots.pay_to(lot_id, payees.of(wanted, around), since, ACTOR)
            approve_references(lot_id, _within_reach(_point(around, wanted.east, wanted.north), references), ACTOR)
            opened.append(lot_id)
    return opened


def _register(around: Neighbourhood, tariffs: Tariffs, since: datetime) -> list[Registered]:
    found = []
    for each in around.references:
        point = _point(around, each.east, each.north)
        told = Approved(each.name, APPROVAL, point.latitude, point.longitude, tariffs.at(each.tariff))
        found.append(Registered(register_reference(told, since, ACTOR).id, point))
    return found


def _open(wanted: Opened, around: Neighbourhood, number: int) -> int:
    code = sample_credit_code(wanted.kind, 100 * NEIGHBOURHOODS.index(around) + number)
    told = NewUnit(wanted.unit, code, wanted.kind, wanted.level, around.district, *wanted.office)
    unit = units.enter(told, ACTOR)
    point = _point(around, wanted.east, wanted.north)
    place = lots.NewLot(
        name=wanted.lot, address=f"杭州市{DISTRICTS[around.district]}{around.name}{MARK}路{number}号",
        latitude=point.latitude, longitude=point.longitude, total_bays=wanted.total,
        total_chargers=wanted.all_chargers, shared_chargers=wanted.chargers, height_limit_cm=wanted.height_cm,
    )  # fmt: skip
    return lots.open_lot(unit.id, place, bays_of(wanted), ACTOR).id


def bays_of(wanted: Opened) -> list[lots.NewBay]:
    """One accessible bay for each twenty begun, one bay for each charger, the others for any car."""
    accessible = -(-wanted.bays // 20)
    kinds = ["accessible"] * accessible + ["charging"] * wanted.chargers
    kinds += ["standard"] * (wanted.bays - len(kinds))
    return [lots.NewBay(f"{_zone(place)}{place:03d}", _zone(place), kind) for place, kind in enumerate(kinds, start=1)]


def _zone(place: int) -> str:
    return "A" if place <= 30 else "B"  # noqa: PLR2004 - a row of thirty


def _point(around: Neighbourhood, east: int, north: int) -> Point:
    metres_per_degree_east = METRES_PER_DEGREE * cos(radians(around.latitude))
    return Point(
        round(around.latitude + north / METRES_PER_DEGREE, 6),
        round(around.longitude + east / metres_per_degree_east, 6),
    )


def _within_reach(of: Point, references: list[Registered]) -> list[int]:
    return [each.id for each in references if _metres(of, each.point) <= REACH_M]


def _metres(one: Point, other: Point) -> float:
    """Flat distance, good enough within a neighbourhood."""
    north = (one.latitude - other.latitude) * METRES_PER_DEGREE
    east = (one.longitude - other.longitude) * METRES_PER_DEGREE * cos(radians(one.latitude))
    return hypot(north, east)
