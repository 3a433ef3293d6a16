"""Which amounts a remedy may lower, and that looking for one leaves the tariff as it was."""

import copy
from typing import Any

from app.domain.pricing.rules import Tariff
from app.domain.pricing.rules.proofs import prove
from app.domain.pricing.rules.proofs.remedies import Change, amounts
from tests.pricing.small_tariffs import JUNE, all_day, band, hourly, parameters, per_visit, stepped

FLAT = {"method": "flat_then_units", "flat_until_min": 60, "flat_fen": 500, "unit_min": 30, "fen": 1, "rounding": "up"}
TABLE = {"method": "table_of_totals", "table": [{"up_to_min": 60, "fen": 0}, {"up_to_min": 5000, "fen": 900}]}


def test_every_amount_above_nothing_is_found_at_its_place() -> None:
    told = parameters(
        band("day", "08:00", "20:00", stepped(400, band_cap={"fen": 1200})), band("night", "20:00", "08:00", FLAT),
        period={"kind": "calendar_day", "cap_fen": [3000, None, 2000]}, plate_cap={"kind": "calendar_day", "fen": 4000},
        vehicle_classes={"small": {}, "large": {"own_bands": [all_day(TABLE)]}},
    )  # fmt: skip
    assert [(amount.path, amount.fen) for amount in amounts(told)] == [
        ("parameters.bands[0].band_cap.fen", 1200),
        ("parameters.bands[0].steps[0].fen", 400),
        ("parameters.bands[1].fen", 1),
        ("parameters.bands[1].flat_fen", 500),
        ("parameters.vehicle_classes.large.own_bands[0].table[1].fen", 900),
        ("parameters.period.cap_fen[0]", 3000),
        ("parameters.period.cap_fen[2]", 2000),
        ("parameters.plate_cap.fen", 4000),
    ]


def remedy(own: dict[str, Any], reference: Tariff) -> list[Change]:
    proof = prove(Tariff.load(own), [reference], JUNE)
    assert proof.counterexample is not None
    return list(proof.counterexample.remedy.changes)


def test_the_amounts_of_a_class_with_bands_of_its_own_are_lowered_there() -> None:
    own = parameters(
        all_day(per_visit(100)), vehicle_classes={"small": {}, "large": {"own_bands": [all_day(per_visit(300))]}}
    )
    assert remedy(own, hourly(200)) == [("parameters.vehicle_classes.large.own_bands[0].fen", 300, 200)]


def test_one_fen_may_be_lowered_to_nothing_and_two_to_one() -> None:
    free = hourly(0)
    assert remedy(parameters(all_day(per_visit(1))), free) == [("parameters.bands[0].fen", 1, 0)]
    assert remedy(parameters(all_day(per_visit(2))), hourly(1)) == [("parameters.bands[0].fen", 2, 1)]


def test_looking_for_a_remedy_changes_no_tariff() -> None:
    own = parameters(all_day(stepped(400)), period={"kind": "calendar_day", "cap_fen": [3000, 2000]})
    before = copy.deepcopy(own)
    assert remedy(own, hourly(300))
    assert own == before
