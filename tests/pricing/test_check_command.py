"""`tariff check`: what is wrong with a tariff, what is odd about it, and where."""

import copy
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given

from app.domain.pricing import published
from app.domain.pricing.rules.findings import examine
from app.domain.pricing.rules.form import NegativeRate
from app.domain.pricing.rules.quotes import quote
from app.domain.pricing.rules.tariff import Tariff
from app.jobs.commands.tariffs import tariff
from app.kernel import clock
from tests.pricing.effort import trying
from tests.pricing.tariffs_at_random import layered

COLLECTION = Path(__file__).parent / "tariffs.json"
PUBLISHED = Path(published.__file__).parent

Parameters = dict[str, Any]
Change = Callable[[Parameters], object]


def road() -> Parameters:
    return copy.deepcopy(published.read("HZ-ROAD-1").parameters)


def checked(*files: Path) -> tuple[int, list[dict[str, str]]]:
    ended = CliRunner().invoke(tariff, ["check", *map(str, files), "--json"], catch_exceptions=False)
    return ended.exit_code, json.loads(ended.stdout)


def written(folder: Path, document: Any) -> Path:
    file = folder / "tariff.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return file


def test_every_collected_and_every_published_tariff_makes_sense() -> None:
    assert checked(COLLECTION, *PUBLISHED.glob("*.json")) == (0, [])
    ended = CliRunner().invoke(tariff, ["check", str(COLLECTION)])
    assert (ended.exit_code, ended.stdout) == (0, "未发现问题\n")


@pytest.mark.parametrize(
    ("wrap", "where"),
    [
        (lambda told: told, "$.bands[0].steps[0].fen"),
        (lambda told: {"parameters": told}, "$.parameters.bands[0].steps[0].fen"),
        (lambda told: {"tariffs": [{"parameters": road()}, {"id": "x", "parameters": told}]},
         "$.tariffs[1].parameters.bands[0].steps[0].fen"),
    ],
    ids=["parameters", "record", "collection"],
)  # fmt: skip
def test_parameters_are_found_wherever_a_file_holds_them(
    wrap: Callable[[Parameters], Any], where: str, tmp_path: Path
) -> None:
    spoilt = road()
    spoilt["bands"][0]["steps"][0]["fen"] = -1
    code, (found,) = checked(written(tmp_path, wrap(spoilt)))
    assert (code, found["severity"], found["code"], found["where"]) == (1, "error", "negative_rate", where)


NO_TARIFFS = {
    "": "not_json",
    '{"a": 1, "a": 2}': "duplicate_key",
    "[" * 10_000: "nested_too_deeply",
    "7": "invalid_tariff",
}


@pytest.mark.parametrize(("content", "code"), NO_TARIFFS.items(), ids=["nothing", "twice", "deep", "number"])
def test_a_file_that_holds_no_tariff_is_an_error(content: str, code: str, tmp_path: Path) -> None:
    assert [found["code"] for found in checked(written(tmp_path, content))[1]] == [code]


def test_every_gap_overlap_and_low_cap_is_told_at_once() -> None:
    spoilt = road()
    spoilt["bands"][0]["to"] = "20:30"
    spoilt["vehicle_classes"]["bus"] = {"own_bands": [{**spoilt["bands"][1], "name": "n", "to": "07:00"}]}
    spoilt["period"] = {"kind": "calendar_day", "cap_fen": [0, 20, None]}
    found = [(each.where, each.code) for each in examine(spoilt)]
    assert found == [
        ("parameters.bands", "bands_overlap"),
        ("parameters.vehicle_classes.bus.own_bands", "bands_leave_gap"),
        ("parameters.period.cap_fen", "cap_below_first_unit"),
    ]


def test_every_part_of_an_ill_form_is_told_at_once() -> None:
    spoilt = road()
    spoilt["bands"][0]["steps"][0]["fen"] = -1
    spoilt["bands"][1]["from"] = "25:00"
    spoilt["vehicle_classes"] = {"small": {}, "bus": {"permille": "2"}, "lorry": {"colour": "red"}}
    spoilt["boundary_policy"] = "as_it_comes"
    spoilt |= {"colour": "red", "price": 3}
    found = [(each.where, each.code) for each in examine(spoilt)]
    assert found == [
        ("parameters.bands[0].steps[0].fen", "negative_rate"),
        ("parameters.bands[1].from", "invalid_tariff"),
        ("parameters.boundary_policy", "invalid_tariff"),
        ("parameters.vehicle_classes.bus.permille", "invalid_tariff"),
        ("parameters.vehicle_classes.lorry.colour", "invalid_tariff"),
        ("parameters.colour", "invalid_tariff"),
        ("parameters.price", "invalid_tariff"),
    ]
    with pytest.raises(NegativeRate):
        Tariff.load(spoilt)


def table(*rows: tuple[int, int]) -> Parameters:
    return {"method": "table_of_totals", "table": [{"up_to_min": length, "fen": fen} for length, fen in rows]}


def day_band(parameters: Parameters, **changes: Any) -> None:
    """Another price from 8 to 20."""
    place = {key: parameters["bands"][0][key] for key in ("name", "from", "to", "days")}
    parameters["bands"][0] = {**place, **changes}


STEPS = [{"minutes": 720, "unit_min": 60, "fen": 300}, {"minutes": None, "unit_min": 60, "fen": 400}]
BY_CLASS = ("workday", "off")


def by_day_class(parameters: Parameters, rule: Any) -> None:
    night = parameters["bands"][1]
    days = [{**parameters["bands"][0], "name": name, "days": [name]} for name in BY_CLASS]
    parameters.update(bands=[*days, night], day_class_rule=rule)
    parameters["vehicle_classes"] = {"small": {}}


ODD: list[tuple[str, str, Change]] = [
    ("step_never_reached", "bands[0].steps[1]", lambda p: day_band(p, method="stepped", rounding="up", steps=STEPS)),
    ("step_never_reached", "bands[0].steps[1]", lambda p: p.update(longest_stay_min=60)),
    ("tail_not_below_unit", "bands[0].steps[0]", lambda p: p["bands"][0].update(tail_min=30)),
    ("row_never_reached", "bands[0].table[1]", lambda p: day_band(p, **table((720, 100), (800, 200)))),
    ("price_falls", "bands[0].table[1].fen", lambda p: day_band(p, **table((60, 300), (720, 200)))),
    ("band_cap_never_reached", "bands[0].band_cap.units", lambda p: p["bands"][0].update(band_cap={"units": 24})),
    ("band_cap_never_reached", "bands[0].band_cap.fen", lambda p: p["bands"][0].update(band_cap={"fen": 9400})),
    (
        "cap_never_reached",
        "period.cap_fen",
        lambda p: p.update(period={"kind": "calendar_day", "cap_fen": 20_001}, vehicle_classes={"small": {}}),
    ),
    (
        "cap_never_reached",
        "period.cap_fen[1]",
        lambda p: p.update(period={"kind": "rolling", "minutes": 1440, "cap_fen": [2000, 60_000]}),
    ),
    ("free_time_covers_everything", "free.minutes", lambda p: p.update(longest_stay_min=15)),
    (
        "free_time_covers_everything",
        "free.by_class.small",
        lambda p: p.update(
            free={**p["free"], "again_each_period": True, "by_class": {"small": 60}},
            period={"kind": "rolling", "minutes": 60},
        ),
    ),
    (
        "waiver_gives_nothing",
        "waivers.ev.minutes",
        lambda p: p.update(waivers={"ev": {"effect": "free_minutes", "minutes": 15}}),
    ),
    ("day_classes_unexplained", "day_class_rule", lambda p: by_day_class(p, None)),
    ("day_class_never_told", "day_class_rule", lambda p: by_day_class(p, {"workday": {"kind": "workday"}})),
    (
        "day_class_never_reached",
        "day_class_rule.off",
        lambda p: by_day_class(p, {"workday": {"otherwise": True}, "off": {"kind": "off"}}),
    ),
]


MATTERS: list[tuple[str, Change]] = [
    (
        "band_cap_never_reached",
        lambda p: day_band(p, **table((60, 3000), (720, 200)), band_cap={"fen": 2000}),
    ),
    (
        "free_time_covers_everything",
        lambda p: p.update(longest_stay_min=15, free={**p["free"], "scope": "first_of_day"}),
    ),
    (
        "waiver_gives_nothing",
        lambda p: p.update(
            free={**p["free"], "by_class": {"small": 0}}, waivers={"ev": {"effect": "free_minutes", "minutes": 15}}
        ),
    ),
    ("day_class_never_told", lambda p: by_day_class(p, {"workday": "工作日"})),
]
"""What looks as if it could never matter, and does."""


@pytest.mark.parametrize(("code", "change"), MATTERS, ids=[code for code, _ in MATTERS])
def test_what_does_matter_is_no_warning(code: str, change: Change) -> None:
    odd = road()
    change(odd)
    assert code not in [each.code for each in examine(odd)]


def clocked() -> Parameters:
    """Dear first hours on work days and by night, from odd minutes on, so that entry and order of days decide."""
    first = {"minutes": 60, "unit_min": 60, "fen": 900}
    dear = {"method": "stepped", "rounding": "up", "steps": [first, {"minutes": None, "unit_min": 60, "fen": 10}]}
    cheap = {"method": "per_visit", "fen": 300}
    parts = [("00:00", "08:03"), ("08:03", "20:07"), ("20:07", "24:00")]
    bands = [
        {"name": f"{name}{place}", "days": [name], "from": begin, "to": end, **(dear if is_dear else cheap)}
        for place, (begin, end) in enumerate(parts)
        for name, is_dear in (("workday", place == 1), ("off", place != 1))
    ]
    return {
        **road(), "free": None, "vehicle_classes": {"small": {}}, "boundary_policy": "round_each_segment",
        "day_class_rule": {"workday": {"kind": "workday"}, "off": {"otherwise": True}}, "bands": bands,
    }  # fmt: skip


def day_of(names: Sequence[str], first: datetime, of: date) -> str:
    return names[of > first.date()]


def test_a_cap_is_called_idle_only_when_no_entry_and_no_order_of_days_reaches_it() -> None:
    bare = Tariff.load({**clocked(), "period": {"kind": "none"}})
    midnight = datetime(2026, 6, 1, tzinfo=clock.SHANGHAI)
    dearest = max(
        quote(bare, entry, entry + timedelta(days=1), None, (), partial(day_of, names, midnight)).total_fen
        for entry in (midnight + timedelta(minutes=minute) for minute in range(1440))
        for names in product(BY_CLASS, repeat=2)
    )
    for cap, is_idle in ((dearest, False), (dearest + 1, True)):
        found = examine({**clocked(), "period": {"kind": "rolling", "minutes": 1440, "cap_fen": cap}})
        assert ("cap_never_reached" in [each.code for each in found]) is is_idle


@pytest.mark.parametrize(("code", "where", "change"), ODD, ids=[f"{code}-{where}" for code, where, _ in ODD])
def test_what_can_never_matter_is_a_warning_at_its_place(code: str, where: str, change: Change) -> None:
    odd = road()
    change(odd)
    found = [(each.code, each.where) for each in examine(odd)]
    assert (code, f"parameters.{where}") in found
    assert not any(each.is_error for each in examine(odd))


def test_what_just_matters_is_no_warning() -> None:
    just = road()
    just["bands"][0]["tail_min"] = 29
    just["bands"][0]["band_cap"] = {"units": 23, "fen": 8999}
    just["period"] = {"kind": "calendar_day", "cap_fen": 18_000}
    just["longest_stay_min"] = 721
    assert examine(just) == []


def test_warnings_alone_end_with_0(tmp_path: Path) -> None:
    odd = road()
    odd["bands"][0]["tail_min"] = 30
    code, found = checked(written(tmp_path, odd))
    assert (code, {each["severity"] for each in found}) == (0, {"warning"})


@trying()
@given(layered())
def test_a_tariff_that_can_be_loaded_has_no_errors(parameters: Parameters) -> None:
    assert not any(finding.is_error for finding in examine(parameters))
