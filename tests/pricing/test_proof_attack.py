"""Stays at random against proofs: none breaks a price that holds, and none is worse than the worst that is told.

Every shape that a proof looks at: bands, methods and policies, free time of each scope, plate caps, odd seconds,
classes of vehicle and of day, free spans, several references and each rule by which they combine.
"""

import copy
from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.domain.pricing.rules import NoPrice, Tariff, quote
from app.domain.pricing.rules.proofs import RULES, combined, prove
from app.domain.pricing.rules.proofs.remedies import amounts
from app.domain.pricing.rules.spans import moment, wall
from tests.pricing.effort import trying
from tests.pricing.small_tariffs import JUNE, Parameters, band, free_time, parameters, per_visit, stepped
from tests.pricing.test_properties import MONDAY

DAY_S = 86_400
HORIZON_S = 90 * 60
STAYS = 150
Stay = tuple[datetime, datetime]
FREE: Parameters = {"method": "free"}
TABLE: Parameters = {
    "method": "table_of_totals",
    "table": [{"up_to_min": 30, "fen": 20}, {"up_to_min": 10_000, "fen": 35}],
}
FLAT: Parameters = {
    "method": "flat_then_units",
    "flat_until_min": 30,
    "flat_fen": 25,
    "unit_min": 15,
    "fen": 4,
    "rounding": "up",
}
POLICIES = ["round_each_segment", "sum_per_band", "by_entry", "carry_part_unit"]
FESTIVAL = {"kind": "free", "from": "2026-06-09T10:05:00+08:00", "to": "2026-06-09T21:35:00+08:00"}

steps = st.builds(stepped, st.integers(1, 30), st.sampled_from([15, 20, 45])) | st.builds(
    lambda fen, tail: stepped(fen, 30, rounding="ignore_tail", tail_min=tail), st.integers(1, 30), st.just(10)
)
by_the_second: st.SearchStrategy[Parameters] = st.builds(
    lambda fen: {"method": "stepped", "steps": [{"minutes": None, "unit_s": 450, "fen": fen}], "rounding": "up"},
    st.integers(1, 9),
)
odd: st.SearchStrategy[Parameters] = st.builds(per_visit, st.integers(1, 40)) | st.sampled_from([FREE, TABLE, FLAT])
prices: st.SearchStrategy[Parameters] = st.one_of(steps, steps, steps, by_the_second, odd)
scopes = st.sampled_from(["per_entry", "first_in_rolling_24h", "first_of_day", "once"])
free = st.none() | st.builds(
    lambda minutes, mode, scope, again, measured: free_time(
        minutes, mode, scope=scope, again_each_period=again, measured_on=measured
    ),
    st.sampled_from([10, 15]), st.sampled_from(["waive_if_within", "deduct"]), scopes, st.booleans(),
    st.sampled_from(["whole_stay", "chargeable_time"]),
)  # fmt: skip
plate_caps = (
    st.none()
    | st.fixed_dictionaries({"kind": st.just("calendar_day"), "fen": st.integers(60, 200)})
    | (st.fixed_dictionaries({"kind": st.just("rolling"), "minutes": st.just(300), "fen": st.integers(60, 200)}))
)


@st.composite
def shapes(draw: st.DrawFn) -> Parameters:
    kinds: list[Parameters] = [{"kind": "none"}, {"kind": "rolling", "minutes": 30}, {"kind": "calendar_day"}]
    bands = [band("day", "08:00", "20:15", draw(prices)), band("night", "20:15", "08:00", draw(prices))]
    if draw(st.integers(0, 7)) == 0:
        bands = [band(name, "00:00", "24:00", draw(prices), [name]) for name in ("workday", "off")]
    return parameters(
        *bands, boundary_policy=draw(st.sampled_from(POLICIES)), free=draw(free),
        period={**draw(st.sampled_from(kinds)), "cap_fen": draw(st.none() | st.integers(60, 90))},
        vehicle_classes={"small": {}, "large": {"multiplier_permille": draw(st.sampled_from([500, 1333, 2000]))}},
        plate_cap=draw(plate_caps), overrides=draw(st.sampled_from([[], [], [FESTIVAL]])),
        longest_stay_min=draw(st.sampled_from([None, None, 60])),
    )  # fmt: skip


@st.composite
def rivals(draw: st.DrawFn, own: Parameters) -> Parameters:
    """Another tariff altogether, or the own one with one amount a little higher or lower."""
    if draw(st.booleans()):
        return draw(shapes())
    rival = copy.deepcopy(own)
    for place in draw(st.lists(st.sampled_from(list(amounts(rival))), max_size=2)) if list(amounts(rival)) else []:
        place.put(rival, place.fen + draw(st.sampled_from([0, 1, 5])))
    return rival


@st.composite
def cases(draw: st.DrawFn) -> tuple[Parameters, list[Parameters], str]:
    own = draw(shapes())
    return own, draw(st.lists(rivals(own), min_size=1, max_size=2)), draw(st.sampled_from(sorted(RULES)))


def off(of: Any) -> str:
    return "off" if of.isoweekday() > 5 else "workday"


def stays(chance: Random) -> tuple[Stay, list[Stay], str]:
    """A stay near an edge or anywhere, and stays of its vehicle before it."""
    edges = [0, 8 * 3600, 20 * 3600 + 900, 10 * 3600 + 300, 21 * 3600 + 35 * 60]
    day = chance.randrange(14) if chance.random() < 0.6 else 8
    aside = chance.choice([0, 1, -1, 900, -900, 1200, -600, 450])
    second = chance.choice(edges) + aside if chance.random() < 0.7 else chance.randrange(DAY_S)
    entry = wall(MONDAY) + day * DAY_S + second
    length = chance.choice([chance.randint(1, HORIZON_S), 15 * 60 * chance.randint(1, 5) + chance.randint(-1, 1)])
    earlier, end = [], entry - chance.choice([0, 1, 3600, 80_000])
    for _ in range(chance.choice([0, 0, 1, 3, 12])):
        begin = end - chance.choice([0, 1, 600, 3000, 7200])
        earlier.append((moment(begin), moment(end)))
        end = begin - chance.choice([0, 1, 600])
    return (moment(entry), moment(entry + length)), earlier[::-1], chance.choice(["small", "large"])


def fee(tariff: Tariff, stay: Stay, earlier: Sequence[Stay], vehicle: str) -> int | None:
    try:
        return quote(tariff, *stay, vehicle, earlier, off).total_fen
    except NoPrice:
        return None


@trying(5)
@given(cases(), st.randoms(use_true_random=False))
def test_no_stay_is_worse_than_a_proof_says(case: tuple[Parameters, list[Parameters], str], chance: Random) -> None:
    own_told, references_told, rule = case
    own, references = Tariff.load(own_told), [Tariff.load(each) for each in references_told]
    proof = prove(own, references, JUNE, rule, horizon_s=HORIZON_S)
    worst = 0 if proof.counterexample is None else proof.counterexample.excess_fen
    if proof.counterexample is not None and any(each.plate_cap for each in (own, *references)):
        return
    for _ in range(STAYS):
        stay, earlier, vehicle = stays(chance)
        charged = fee(own, stay, earlier, vehicle)
        bounds = [bound for each in references if (bound := fee(each, stay, earlier, vehicle)) is not None]
        if charged is not None and bounds and _have_prices([own, *references], earlier, vehicle):
            assert charged - combined(rule, bounds) <= worst, (stay, earlier, vehicle)


def _have_prices(tariffs: Sequence[Tariff], earlier: Sequence[Stay], vehicle: str) -> bool:
    """Earlier stays that a tariff has no price for are left out, as in a proof."""
    return all(
        fee(each, stay, earlier[:place], vehicle) is not None for each in tariffs for place, stay in enumerate(earlier)
    )
