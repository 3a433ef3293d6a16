"""Tariffs of every shape that the form allows, for properties that must hold for all of them.

A strategy is made once and drawn from ever after: Hypothesis examines each that it has not met, which took longer than
the drawing.
"""

from functools import cache
from typing import Any

from hypothesis import strategies as st

Parameters = dict[str, Any]

DEAREST = 800
"""No first unit costs more, so that no cap lies below it."""
fens = st.integers(0, DEAREST)
units = st.sampled_from([1, 5, 15, 20, 30, 60, 120, 600])
seconds = st.sampled_from([12, 60, 90, 300])
ways_to_round = st.sampled_from(["up", "down", "ignore_tail"])
ways_to_charge = st.sampled_from(["stepped", "per_visit", "free", "table_of_totals", "flat_then_units"])
some_lengths = st.sets(st.integers(1, 300), max_size=4)
windows = st.none() | st.just({"from": "05:00", "to": "19:00"}) | st.just({"from": "22:00", "to": "06:30"})
caps_of_bands: st.SearchStrategy[Parameters] = st.sampled_from(
    [{}, {}, {"units": 3}, {"fen": DEAREST}, {"units": 5, "fen": DEAREST + 100}]
)
shapes_of_days = st.sampled_from(["ring", "ring", "classes", "classes_by_day"])
edges_of_bands = st.sets(st.integers(1, 1439), min_size=2, max_size=3)
policies = st.sampled_from(["single_band", "round_each_segment", "sum_per_band", "by_entry", "carry_part_unit"])
multipliers = st.sampled_from([0, 500, 1000, 1333, 1500, 2000])
kinds_of_periods = st.sampled_from(["none", "rolling", "calendar_day"])
lengths_of_periods = st.sampled_from([360, 720, 1440])
overstayed = st.sampled_from(["multiplier_permille", "filed", "fixed_fen"])
caps_of_overstays = st.none() | st.integers(0, 5000)


@cache
@st.composite
def roundings(draw: st.DrawFn) -> Parameters:
    kind = draw(ways_to_round)
    return {"rounding": kind, **({"tail_min": draw(st.integers(0, 30))} if kind == "ignore_tail" else {})}


@cache
@st.composite
def unit_lengths(draw: st.DrawFn) -> Parameters:
    """Mostly whole minutes, as published texts have it, else seconds."""
    return {"unit_s": draw(seconds)} if draw(st.integers(0, 7)) == 0 else {"unit_min": draw(units)}


@cache
@st.composite
def steps(draw: st.DrawFn) -> list[Parameters]:
    """A few steps with an end, and one without."""
    walked: list[Parameters] = []
    for _ in range(draw(st.integers(0, 3))):
        unit = draw(units)
        walked.append({"minutes": unit * draw(st.integers(1, 4)), "unit_min": unit, "fen": draw(fens)})
    walked.append({"minutes": None, **draw(unit_lengths()), "fen": draw(fens)})
    return [{**step, **(draw(roundings()) if draw(st.booleans()) else {})} for step in walked]


@cache
@st.composite
def methods(draw: st.DrawFn, only_by_unit: bool = False) -> Parameters:
    kind = "stepped" if only_by_unit else draw(ways_to_charge)
    if kind == "stepped":
        return {"method": kind, "steps": draw(steps()), **draw(roundings())}
    if kind == "per_visit":
        return {"method": kind, "fen": draw(fens)}
    if kind == "free":
        return {"method": kind}
    if kind == "table_of_totals":
        lengths = sorted(draw(some_lengths) | {10_000})
        table = [{"up_to_min": length, "fen": draw(fens)} for length in lengths]
        return {"method": kind, "table": table, "beyond": "tow"}
    flat = {
        "flat_until_min": draw(st.integers(0, 300)),
        "flat_fen": draw(fens),
        **draw(unit_lengths()),
        "fen": draw(fens),
    }
    window = draw(windows)
    return {"method": kind, **flat, **draw(roundings()), **({"after_window": window} if window else {})}


@cache
@st.composite
def band_caps(draw: st.DrawFn) -> Parameters:
    cap = draw(caps_of_bands)
    return {"band_cap": cap} if cap else {}


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@cache
@st.composite
def band_sets(draw: st.DrawFn, single: bool, only_by_unit: bool = False) -> list[Parameters]:
    """Bands that cover every instant once: one all day, a ring over midnight, or days by class."""
    shape = "one" if single else draw(shapes_of_days)
    edges = sorted(draw(edges_of_bands))
    if shape == "one":
        spans: list[tuple[str | list[str], str, str]] = [("all", "00:00", "24:00")]
    elif shape == "ring":
        clocks = [_clock(edge) for edge in edges]
        spans = [("all", begin, end) for begin, end in zip(clocks, clocks[1:] + clocks[:1], strict=True)]
    elif shape == "classes":
        spans = [([name], "00:00", "24:00") for name in ("workday", "off")]
    else:
        first, last = _clock(edges[0]), _clock(edges[1])
        spans = [([name], first, last) for name in ("workday", "off")] + [("all", last, first)]
    return [
        {"name": f"b{n}", "from": begin, "to": end, "days": days, **draw(methods(only_by_unit)), **draw(band_caps())}
        for n, (days, begin, end) in enumerate(spans)
    ]


free_times = st.none() | st.fixed_dictionaries(
    {
        "minutes": st.integers(0, 200),
        "mode": st.sampled_from(["waive_if_within", "deduct"]),
        "measured_on": st.sampled_from(["whole_stay", "chargeable_time"]),
        "scope": st.sampled_from(["per_entry", "first_in_rolling_24h", "first_of_day", "once"]),
        "again_each_period": st.booleans(),
        "by_class": st.sampled_from([{}, {"large": 45}]),
    }
)
some_caps = st.none() | st.integers(DEAREST, 5000)
caps = some_caps | st.lists(some_caps, min_size=1, max_size=3)


@cache
@st.composite
def periods(draw: st.DrawFn) -> Parameters:
    kind = draw(kinds_of_periods)
    length = {"minutes": draw(lengths_of_periods)} if kind == "rolling" else {}
    return {"kind": kind, **length, "cap_fen": draw(caps)}


@cache
@st.composite
def overstays(draw: st.DrawFn) -> Parameters:
    kind = draw(overstayed)
    price: Any = draw(st.integers(0, 3500))
    if kind == "filed":
        price = {**draw(unit_lengths()), "fen": draw(fens), **draw(roundings())}
    return {kind: price, "cap_fen": draw(caps_of_overstays), "grace_min": draw(st.integers(0, 30))}


plate_caps = st.fixed_dictionaries({"kind": st.just("calendar_day"), "fen": st.integers(DEAREST, 3000)}) | (
    st.fixed_dictionaries(
        {
            "kind": st.just("rolling"),
            "minutes": st.sampled_from([300, 1440]),
            "fen": st.integers(DEAREST, 3000),
        }
    )
)


@cache
@st.composite
def layers(draw: st.DrawFn, has_free: bool) -> Parameters:
    """What few tariffs have."""
    laid: Parameters = {}
    if draw(st.booleans()):
        laid["overstay"] = draw(overstays())
    if draw(st.booleans()):
        laid["plate_cap"] = draw(plate_caps)
    if has_free:
        laid["waivers"] = {"proof": {"effect": "free_minutes", "minutes": draw(st.integers(1, 300))}}
    return laid


@cache
@st.composite
def tariffs(draw: st.DrawFn, only_by_unit: bool = False) -> Parameters:
    """The `parameters` of a tariff; `only_by_unit` for stepped bands alone."""
    policy = draw(policies)
    bands = draw(band_sets(single=policy == "single_band", only_by_unit=only_by_unit))
    large: Parameters = {"multiplier_permille": draw(multipliers)}
    if draw(st.booleans()):
        large["multiplier_bands"] = [bands[0]["name"]]
    own = {"own_bands": draw(band_sets(single=policy == "single_band", only_by_unit=only_by_unit))}
    return {
        "free": draw(free_times),
        "bands": bands,
        "boundary_policy": policy,
        "period": draw(periods()),
        "vehicle_classes": {"small": {}, "large": large, "own": own},
        "default_class": "small",
    }


@cache
@st.composite
def layered(draw: st.DrawFn) -> Parameters:
    """A tariff with overstay, proofs and a plate's cap over it."""
    parameters = draw(tariffs())
    return {**parameters, **draw(layers(has_free=parameters["free"] is not None))}
