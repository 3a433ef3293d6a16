"""Units open their lots, with bays, prices, references and a payee."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import cos, radians
from typing import Final

from app.domain.lots import actions as lots
from app.domain.lots.models import Lot
from app.domain.lots.queries import METRES_PER_DEGREE, Point
from app.domain.pricing.models import ReferenceLot
from app.domain.staff.rules import Actor
from app.domain.units import actions as units
from app.domain.units.models import Operator, Unit
from app.domain.units.rules import DISTRICTS, NewOperator, NewUnit, Terms, sample_credit_code
from app.jobs.sample_city.payees import CHECKER, Payees
from app.jobs.sample_city.people import People
from app.jobs.sample_city.prices import charge, register
from app.jobs.sample_city.table import MARK, NEIGHBOURHOODS, OPERATORS, Neighbourhood, Opened
from app.jobs.sample_city.tariffs import Tariffs
from app.kernel import clock
from app.kernel.files import Paper

ACTOR: Final = "sample-city"
FIRST_OPERATOR: Final = 9_000_000
"""Sample codes of operators are counted from here, those of units from zero."""

TERM: Final = timedelta(days=730)
PAPER: Final = Paper(f"%PDF-1.4\n% {MARK}协议，不具效力\n%%EOF\n".encode(), f"{MARK}协议.pdf")
PHOTO: Final = Paper(b"\x89PNG\r\n\x1a\n", f"{MARK}照片.png")
CONTACTS: Final = (
    lots.NewContact("responsible", f"{MARK}责任人", "0571-00000001", "工作日 8:30-17:30"),
    lots.NewContact("deputy", f"{MARK}副责任人", "0571-00000002", "夜间及节假日"),
)
SAFETY: Final = f"{MARK}：车辆登记、限速5公里、夜间巡查"
EMERGENCY: Final = f"{MARK}：险情先疏散后报告"
AREAS: Final = {"钱江新城": "centre", "湖滨": "commercial", "武林": "centre"}
"""Neighbourhoods for which the notice encourages more (N2.2.2)."""


def open_city(people: People, tariffs: Tariffs, payees: Payees, since: datetime) -> list[int]:
    """Open every lot of the table; tariffs and payees hold from `since` on. Returns the ids of the lots."""
    operators = _operators()
    references = {around.name: _register(people, around, tariffs, since) for around in NEIGHBOURHOODS}
    opened = []
    for around in NEIGHBOURHOODS:
        for number, wanted in enumerate(around.lots, start=1):
            by, lot = _open(wanted, around, number, people, operators)
            tariff = tariffs.at(around.references[0].tariff, wanted.price)
            charge(people, by, lot, tariff, references[around.name][:1])
            lots.enter_payee(lot, payees.of(wanted, around), since, ACTOR, CHECKER)
            opened.append(lot.id)
    return opened


def _operators() -> list[Operator]:
    codes = [sample_credit_code("enterprise", FIRST_OPERATOR + number) for number in range(1, len(OPERATORS) + 1)]
    told = zip(OPERATORS, codes, strict=True)
    return [
        units.enter_operator(NewOperator(name, code, f"0571-0000{number:04d}"), ACTOR)
        for number, (name, code) in enumerate(told, start=1)
    ]


def _register(people: People, around: Neighbourhood, tariffs: Tariffs, since: datetime) -> list[ReferenceLot]:
    return [
        register(people, each.name, _point(around, each.east, each.north), tariffs.at(each.tariff), since)
        for each in around.references
    ]


def _open(
    wanted: Opened, around: Neighbourhood, number: int, people: People, operators: Sequence[Operator]
) -> tuple[Actor, Lot]:  # fmt: skip
    """By the steps that a unit and a regulator take: draft, plan, facilities, submission, approval, publication.

    Returns who acts for the unit too.
    """
    code = sample_credit_code(wanted.kind, 100 * NEIGHBOURHOODS.index(around) + number)
    unit = units.enter(
        NewUnit(wanted.unit, code, wanted.kind, wanted.level, around.district, *wanted.office), ACTOR
    )  # fmt: skip
    by = people.of_unit(unit)
    lot = lots.draft(by, unit.key, _told(wanted, around, number), bays_of(wanted))
    if wanted.operator is not None:
        _entrust(by, unit, operators[wanted.operator], lot, wanted)
    made_lawful(by, people.regulator, lot, wanted.bays, wanted.chargers)
    lots.publish(by, lot.key)
    return by, lot


def _told(wanted: Opened, around: Neighbourhood, number: int) -> lots.NewLot:
    point = _point(around, wanted.east, wanted.north)
    return lots.NewLot(
        name=wanted.lot, address=f"杭州市{DISTRICTS[around.district]}{around.name}{MARK}路{number}号",
        latitude=point.latitude, longitude=point.longitude, total_bays=wanted.total,
        total_chargers=wanted.all_chargers, shared_chargers=wanted.chargers, height_limit_cm=wanted.height_cm,
        area=AREAS.get(around.name, "ordinary"),
    )  # fmt: skip


def _entrust(by: Actor, unit: Unit, operator: Operator, lot: Lot, wanted: Opened) -> None:
    begins_at = clock.now()
    terms = Terms(
        [lot.id], wanted.bays, "按共享开放时段", f"{MARK}：日常运营、用户服务、数据共享、投诉与应急处理",
        f"{MARK}：保障泊位与设施可用", f"{MARK}：秩序维护与安全管理", begins_at, begins_at + TERM,
    )  # fmt: skip
    units.sign_agreement(by, unit.key, operator.key, terms, PAPER)


def made_lawful(by: Actor, regulator: Actor, lot: Lot, bays: int, chargers: int = 0) -> None:
    """Bring a draft to where its unit may publish it: plan, facilities, submission and another's approval."""
    told = lots.NewPlan(bays, chargers, safety_rules=SAFETY, emergency_plan=EMERGENCY)
    plan = lots.draft_plan(by, lot.key, told, CONTACTS)
    lots.submit_plan(by, plan.key)
    lots.approve_plan(regulator, plan.key, f"{MARK}：同意")
    lots.check_facilities(by, lot.key, lots.Found(security=True, lighting=True, fire=True), PHOTO)
    lots.submit(by, lot.key)
    lots.approve(regulator, lot.key)


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
