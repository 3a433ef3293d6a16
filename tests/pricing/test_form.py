"""The form of a tariff: what is refused and where, and that the JSON Schema says the same."""

import copy
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.pricing import published
from app.domain.pricing.rules import InvalidTariff, Tariff, hourly_text
from app.domain.pricing.rules.form import Senseless
from tests.pricing.effort import trying
from tests.pricing.tariffs_at_random import layered, tariffs

HERE = Path(__file__).parent
SCHEMA = json.loads((HERE.parents[1] / "docs" / "tariff.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)
COLLECTED = json.loads((HERE / "tariffs.json").read_text(encoding="utf-8"))["tariffs"]

Parameters = dict[str, Any]
Change = Callable[[Parameters], object]


def road() -> Parameters:
    """A published tariff to be spoilt."""
    return copy.deepcopy(published.read("HZ-ROAD-1").parameters)


@pytest.mark.parametrize("collected", COLLECTED, ids=lambda each: each["id"])
def test_every_collected_tariff_follows_the_schema(collected: Parameters) -> None:
    assert VALIDATOR.is_valid(collected["parameters"])


@trying()
@given(tariffs())
def test_whatever_is_made_by_the_form_follows_the_schema(parameters: Parameters) -> None:
    assert VALIDATOR.is_valid(parameters)


RULE = {
    "golden": {"kind": "off", "holiday": ["国庆节"], "season": [{"from": "12-01", "to": "02-28"}]},
    "fair": {"any": [{"holiday": False, "weekdays": [1, 7]}, {"dates": [{"from": "2026-01-01", "to": "2026-01-02"}]}]},
    "words": "平日",
    "other": {"otherwise": True},
}
EVERYTHING = {
    "day_class_rule": RULE,
    "payment_channels": {"card": {"permille": 800}},
    "overrides": [{"kind": "free", "from": "2026-01-01T00:00:00+08:00", "to": "2026-01-02 00:00Z", "zones": 1}],
    "occupancy": {"grace_min": 10, "unit_s": 9, "fen": 1, "rounding": "ignore_tail", "tail_min": 0, "cap_fen": None},
    "entry_window": "any",
    "exit_window": {"from": "07:00", "to": "21:00"},
    "contract": {"prepaid": True},
    "partial": True,
    "usable_window": {"from": "22:00", "to": "06:00"},
    "longest_stay_min": 600,
}
"""Every optional key that `layered` does not draw."""
VALUES = st.sampled_from(
    [None, True, False, 0, 1, -1, 1.0, 0.5, 1_000_000_001, "", "x", "any", "all", "up", "ignore_tail", "rolling",
     "free", "08:00", "24:00", "2026-02-03", "02-30", "02-03", "2026-01-01T00:00:00+08:00",
     "2026-01-01T00:00:00",
     [], [1], [None], ["off"], {}, {"x": 1}, {"otherwise": True}, {"kind": "off"}, {"fen": 900}, {"minutes": 5}],
)  # fmt: skip


def places(told: Any) -> list[tuple[Any, Any]]:
    """Every container of a document with every key or index in it."""
    here = list(told) if isinstance(told, dict) else list(range(len(told))) if isinstance(told, list) else []
    return [(told, key) for key in here] + [place for key in here for place in places(told[key])]


def spoil_somewhere(parameters: Parameters, data: st.DataObject) -> None:
    holder, key = data.draw(st.sampled_from(places(parameters)))
    deed = data.draw(st.sampled_from(["put", "put", "drop", "add"]))
    if deed == "put" or isinstance(holder, list):
        holder[key] = data.draw(VALUES)
    elif deed == "drop":
        del holder[key]
    else:
        names = ["minutes", "unit_s", "unit_min", "tail_min", "rounding", "fen", "fixed_fen", "filed", "otherwise", "x"]
        holder[data.draw(st.sampled_from(names))] = data.draw(VALUES)


@trying(400)
@given(layered(), st.sets(st.sampled_from(sorted(EVERYTHING))), st.data())
def test_schema_and_engine_refuse_the_same_forms(parameters: Parameters, more: set[str], data: st.DataObject) -> None:
    spoilt = copy.deepcopy({**parameters, **{key: EVERYTHING[key] for key in more}})
    spoil_somewhere(spoilt, data)
    try:
        Tariff.load(spoilt)
    except Senseless:  # no schema finds what contradicts itself
        assert VALIDATOR.is_valid(spoilt)
    except InvalidTariff:
        assert not VALIDATOR.is_valid(spoilt)
    else:
        assert VALIDATOR.is_valid(spoilt)


@pytest.mark.parametrize("name", published.names())
def test_a_published_tariff_names_its_source_and_can_be_told(name: str) -> None:
    kept = published.read(name)
    assert kept.id == name
    assert kept.document
    assert kept.rule_text
    assert VALIDATOR.is_valid(kept.parameters)
    noon = datetime.fromisoformat("2026-06-01T12:00:00+08:00")
    assert "元" in hourly_text(Tariff.load(kept.parameters), noon, lambda _: "other")


BOTH_REFUSE: list[tuple[str, Change]] = [
    ("parameters.colour", lambda p: p.update(colour="red")),
    ("parameters.bands", lambda p: p.pop("bands")),
    ("parameters.bands", lambda p: p.update(bands=[])),
    ("parameters.bands[0].fen", lambda p: p["bands"][0].update(method="per_visit", steps=None)),
    ("parameters.bands[0].from", lambda p: p["bands"][0].update({"from": "8:00"})),
    ("parameters.bands[0].to", lambda p: p["bands"][0].update(to="24:01")),
    ("parameters.bands[0].days", lambda p: p["bands"][0].update(days="workday")),
    ("parameters.bands[0].method", lambda p: p["bands"][0].update(method="by_magic")),
    ("parameters.bands[0].steps[0].tail_min", lambda p: p["bands"][0].pop("tail_min")),
    ("parameters.bands[0].steps[0].fen", lambda p: p["bands"][0]["steps"][0].update(fen=3.5)),
    ("parameters.bands[0].steps[0].fen", lambda p: p["bands"][0]["steps"][0].update(fen=True)),
    ("parameters.bands[0].steps[1].unit_min", lambda p: p["bands"][0]["steps"][1].update(unit_min=0)),
    ("parameters.bands[1].fen", lambda p: p["bands"][1].update(fen=-1)),
    ("parameters.bands[1].band_cap.yuan", lambda p: p["bands"][1].update(band_cap={"yuan": 3})),
    ("parameters.free.mode", lambda p: p["free"].update(mode="sometimes")),
    ("parameters.free.scope", lambda p: p["free"].update(scope="twice")),
    ("parameters.period.minutes", lambda p: p.update(period={"kind": "rolling", "cap_fen": 1})),
    ("parameters.period.minutes", lambda p: p.update(period={"kind": "none", "minutes": 5})),
    ("parameters.period.cap_fen", lambda p: p.update(period={"kind": "none", "cap_fen": []})),
    ("parameters.boundary_policy", lambda p: p.update(boundary_policy="guess")),
    ("parameters.vehicle_classes.bus", lambda p: p["vehicle_classes"].update(bus={"multiplier_bands": ["day"]})),
    ("parameters.payment_channels.citizen_card.off", lambda p: p["payment_channels"]["citizen_card"].update(off=1)),
    ("parameters.overrides[0].kind", lambda p: p.update(overrides=[{"kind": "dear", "from": "", "to": ""}])),
    ("parameters.overstay.multiplier_permille", lambda p: p.update(overstay={"cap_fen": 1})),
    ("parameters.waivers", lambda p: p.update(waivers=["visit"])),
    ("parameters.vehicle_classes", lambda p: p.update(vehicle_classes=[])),
    ("parameters.vehicle_classes", lambda p: p.update(vehicle_classes={})),
    ("parameters.vehicle_classes", lambda p: p["vehicle_classes"].update({"": {}})),
    ("parameters.waivers.visit.effect", lambda p: p.update(waivers={"visit": {"effect": "half"}})),
]


@pytest.mark.parametrize(("where", "spoil"), BOTH_REFUSE)
def test_a_wrong_form_is_refused_at_its_place_by_engine_and_schema_alike(where: str, spoil: Change) -> None:
    parameters = road()
    spoil(parameters)
    assert not VALIDATOR.is_valid(parameters)
    with pytest.raises(InvalidTariff) as refused:
        Tariff.load(parameters)
    assert refused.value.details["where"] == where
    assert str(refused.value).startswith(f"{where}: ")


ENGINE_REFUSES: list[tuple[str, Change]] = [
    ("parameters.bands", lambda p: p["bands"].pop()),
    ("parameters.bands", lambda p: p["bands"][1].update(name="day")),
    ("parameters.bands", lambda p: p["bands"][1].update({"from": "19:00"})),
    ("parameters.bands", lambda p: p.update(boundary_policy="single_band")),
    ("parameters.bands[0]", lambda p: p["bands"][0].update({"from": "08:00", "to": "08:00"})),
    ("parameters.bands[1]", lambda p: p["bands"][1].update(days=["workday"])),
    ("parameters.bands", lambda p: p["bands"][0].update(days=["off"], to="19:00")),
    ("parameters.bands[0].steps", lambda p: p["bands"][0]["steps"].reverse()),
    ("parameters.bands[0].steps[0].minutes", lambda p: p["bands"][0]["steps"][0].update(minutes=45)),
    ("parameters.default_class", lambda p: p.update(default_class="tank")),
    ("parameters.free.by_class.tank", lambda p: p["free"].update(by_class={"tank": 5})),
    (
        "parameters.vehicle_classes.bus.multiplier_bands",
        lambda p: p["vehicle_classes"].update(bus={"multiplier_permille": 1, "multiplier_bands": ["noon"]}),
    ),
    (
        "parameters.overrides[0]",
        lambda p: p.update(overrides=[{"kind": "free", "from": "2026-01-02T00:00Z", "to": "2026-01-01T00:00Z"}]),
    ),
    (
        "parameters.overrides[0].from",
        lambda p: p.update(overrides=[{"kind": "free", "from": "2026-01-02T00:00", "to": "2026-01-03T00:00Z"}]),
    ),
]


@pytest.mark.parametrize(("where", "spoil"), ENGINE_REFUSES)
def test_what_a_schema_cannot_say_the_engine_still_refuses(where: str, spoil: Change) -> None:
    parameters = road()
    spoil(parameters)
    with pytest.raises(InvalidTariff) as refused:
        Tariff.load(parameters)
    assert refused.value.details["where"] == where


def test_a_table_must_grow() -> None:
    parameters = road()
    rows = [{"up_to_min": 60, "fen": 100}, {"up_to_min": 60, "fen": 200}]
    parameters["bands"][1] |= {"method": "table_of_totals", "table": rows}
    parameters["bands"][1].pop("fen")
    with pytest.raises(InvalidTariff) as refused:
        Tariff.load(parameters)
    assert refused.value.details["where"] == "parameters.bands[1].table"
