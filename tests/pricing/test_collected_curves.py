"""The curves of the proof against the engine, for every collected tariff and some that combine what is rare."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.domain.pricing.rules import NoPrice, Tariff, quote
from app.domain.pricing.rules.proofs.curves import Drawing
from app.domain.pricing.rules.proofs.grid import grain
from app.domain.pricing.rules.proofs.ladders import Ladders
from app.domain.pricing.rules.proofs.layout import Layout
from app.domain.pricing.rules.spans import moment, wall
from tests.pricing.effort import EFFORT, USUAL
from tests.pricing.small_tariffs import all_day, band, free_time, parameters, per_visit, stepped
from tests.pricing.test_rules import at

Parameters = dict[str, Any]
COLLECTED = json.loads((Path(__file__).parent / "tariffs.json").read_text(encoding="utf-8"))["tariffs"]
MONDAY, HOUR = wall(at("00:00")), 3600
DAYS = 3
HORIZON_S = 36 * HOUR
ENTRIES = (7 * HOUR + 1799, 19 * HOUR + 2700, 0, 12 * HOUR + 17, 24 * HOUR - 1)[: None if EFFORT >= USUAL else 2]
MOST = 60 if EFFORT >= USUAL else 20
"""So many changes of a curve are looked at."""

DAY, NIGHT = band("day", "08:00", "20:00", stepped(400)), band("night", "20:00", "08:00", {"method": "free"})
FLAT = {
    "method": "flat_then_units",
    "flat_until_min": 120,
    "flat_fen": 500,
    "unit_min": 30,
    "fen": 100,
    "rounding": "up",
}
STEPS = [
    {"minutes": 60, "unit_min": 30, "fen": 500}, {"minutes": 120, "unit_min": 40, "fen": 300},
    {"minutes": None, "unit_min": 70, "fen": 100},
]  # fmt: skip
TABLE = {"method": "table_of_totals", "table": [{"up_to_min": 60, "fen": 300}, {"up_to_min": 600, "fen": 900}]}
DAILY: Parameters = {"kind": "calendar_day", "cap_fen": [800, None, 900]}
ON_CHARGEABLE = free_time(90, measured_on="chargeable_time")
RARE: dict[str, Parameters] = {
    "free on what is charged": parameters(DAY, NIGHT, free=ON_CHARGEABLE),
    "free again on what is charged": parameters(
        DAY, NIGHT, free={**ON_CHARGEABLE, "again_each_period": True}, period=DAILY
    ),
    "deducted again": parameters(DAY, NIGHT, free=free_time(90, "deduct", again_each_period=True), period=DAILY),
    "deducted over days": parameters(all_day(stepped(400, 60)), free=free_time(1500, "deduct"), period=DAILY),
    "summed": parameters(DAY, band("night", "20:00", "08:00", per_visit(500)), boundary_policy="sum_per_band"),
    "by entry": parameters(DAY, band("night", "20:00", "08:00", FLAT), boundary_policy="by_entry", period=DAILY),
    "carried": parameters(
        band("day", "08:00", "20:10", stepped(400, 90)), band("night", "20:10", "08:00", stepped(100, 25)),
        boundary_policy="carry_part_unit", period={"kind": "rolling", "minutes": 600, "cap_fen": 1500},
    ),
    "carried beside a visit": parameters(
        band("day", "08:00", "20:10", stepped(400, 90)), band("night", "20:10", "08:00", per_visit(700)),
        boundary_policy="carry_part_unit",
    ),
    "carried over steps": parameters(
        band("day", "08:00", "20:10", {**stepped(1), "steps": STEPS}), band("night", "20:10", "08:00", FLAT),
        boundary_policy="carry_part_unit", period={"kind": "rolling", "minutes": 1440},
    ),
    "carried to a gap": parameters(
        band("day", "08:00", "20:10", stepped(400, 90)), partial=True, boundary_policy="carry_part_unit"
    ),
    "summed to a gap": parameters(
        band("day", "08:00", "12:00", FLAT), band("noon", "12:00", "15:00", TABLE),
        band("late", "15:00", "20:00", FLAT),
        partial=True, boundary_policy="sum_per_band",
    ),
    "flat by day": parameters(
        band("day", "08:00", "20:00", {**FLAT, "after_window": {"from": "10:00", "to": "19:00"}}), NIGHT
    ),
    "a table": parameters(band("day", "08:00", "16:00", TABLE), band("rest", "16:00", "08:00", stepped(100, 45))),
    "a table that ends": parameters(all_day(TABLE)),
    "steps that end": parameters(all_day({**stepped(1), "steps": [{"minutes": 120, "unit_min": 60, "fen": 100}]})),
    "a part of the day": parameters(DAY, partial=True, boundary_policy="round_each_segment"),
    "a part of the day by entry": parameters(DAY, partial=True, boundary_policy="by_entry"),
    "a window": parameters(DAY, NIGHT, usable_window={"from": "19:00", "to": "09:00"}, longest_stay_min=700),
    "capped units": parameters(
        {**DAY, "band_cap": {"units": 3, "fen": 1100}},
        {**NIGHT, **stepped(70, 20, tail_min=9), "rounding": "ignore_tail"},
    ),
    "down": parameters({**DAY, "rounding": "down"}, NIGHT, vehicle_classes={"small": {"multiplier_permille": 1333}}),
}  # fmt: skip
TARIFFS = {each["id"]: each["parameters"] for each in COLLECTED} | RARE


@pytest.mark.parametrize("name", TARIFFS)
def test_a_curve_changes_when_and_as_the_engine_does(name: str) -> None:
    tariff = Tariff.load(TARIFFS[name])
    names = sorted({day for each in tariff.bands for day in each.days or ()}) or [""]
    for vehicle, rule in tariff.vehicle_classes.items():
        ladders = Ladders(rule, grain([tariff]), HORIZON_S)
        layout = Layout(tariff.bands_of(rule), [frozenset({names[day % len(names)]}) for day in range(DAYS)])
        drawing = Drawing(tariff, vehicle, layout, ladders, (), HORIZON_S)
        for entry in ENTRIES:
            curve = drawing.curve(entry, has_free=True)
            for start in _some(curve.starts):
                for exit_ in (start - 1, start, start + 1):
                    if entry < exit_ <= entry + HORIZON_S:
                        assert curve.fen_at(exit_) == _fee(tariff, entry, exit_, vehicle, names), (entry, exit_)


def _some(starts: list[int]) -> list[int]:
    return starts[:: len(starts) // MOST + 1] + starts[-3:]


def _fee(tariff: Tariff, entry: int, exit_: int, vehicle: str, names: list[str]) -> int | None:
    def calendar(of: date) -> str:
        return names[(of - at("00:00").date()).days % len(names)]

    try:
        return quote(tariff, moment(MONDAY + entry), moment(MONDAY + exit_), vehicle, (), calendar).total_fen
    except NoPrice:
        return None
