"""What a proof says, as plain JSON and in words, to the letter: both are stored and shown."""

from typing import Any

from app.domain.pricing.rules.proofs import Proof, prove
from app.domain.pricing.rules.proofs.verdicts import Counterexample
from tests.pricing.small_tariffs import JUNE, band, free_time, hourly, per_visit, stepped, tariff

TWO_HOURS = 7200


def line(each_fen: int, text: str) -> dict[str, Any]:
    return {
        "rule": "band", "begins_at": "2026-06-28T00:00:00+08:00", "ends_at": "2026-06-28T01:00:01+08:00",
        "band": "all_day", "units": 2, "amount_fen": 2 * each_fen, "text": text,
    }  # fmt: skip


def test_a_price_that_holds_is_told_in_numbers_and_in_a_sentence() -> None:
    proof = prove(hourly(100), [hourly(100)], JUNE, horizon_s=TWO_HOURS)
    assert proof.as_dict() == {
        "holds": True, "combine": "lowest", "unbounded": False, "grain_s": 3600, "settings": 1, "entries": 48,
        "counterexample": None,
    }  # fmt: skip
    assert (
        proof.explain()
        == "通过：任意入场时刻、任意日期序列、全部车型、48小时内任意时长（精确到秒），收费均不高于上限。"
    )


def test_a_price_that_does_not_is_told_with_its_worst_stay_both_fees_and_what_would_pass() -> None:
    proof = prove(hourly(101), [hourly(100), hourly(300, longest_stay_min=60)], JUNE, horizon_s=TWO_HOURS)
    own, reference = line(101, "全天 2个小时×1.01元"), line(100, "全天 2个小时×1元")
    assert proof.as_dict()["counterexample"] == {
        "entry": "2026-06-28T00:00:00+08:00", "exit": "2026-06-28T01:00:01+08:00", "duration_s": 3601,
        "vehicle_class": "small", "day_classes": {"2026-06-28": [], "2026-06-29": [], "2026-06-30": []},
        "prior_stays": [], "assumes_used_up": False,
        "own": {"fee_fen": 202, "boundary_policy": "single_band", "lines": [own]},
        "references": [{"fee_fen": 200, "boundary_policy": "single_band", "lines": [reference]}, None],
        "own_fen": 202, "cap_fen": 200, "excess_fen": 2,
        "remedy": {"changes": [{"path": "parameters.bands[0].steps[0].fen", "from_fen": 101, "to_fen": 100}]},
    }  # fmt: skip
    stay = "2026-06-28 00:00:00 至 2026-06-28 01:00:01"
    assert proof.explain().splitlines() == [
        "未通过：small 车型停车1小时1秒，收费2.02元，周围政府定价停车场为2元，超出0.02元。",
        "本停车场：",
        f"{stay}，停车1小时1秒",
        f"{stay} 全天 2个小时×1.01元：2.02元",
        "全程按同一标准计费",
        "合计：2.02元",
        "参照1：",
        f"{stay}，停车1小时1秒",
        f"{stay} 全天 2个小时×1元：2元",
        "全程按同一标准计费",
        "合计：2元",
        "将parameters.bands[0].steps[0].fen 由1.01元调至1元，即可通过。",
    ]


def refuted(proof: Proof) -> Counterexample:
    assert proof.counterexample is not None
    return proof.counterexample


def test_earlier_stays_that_make_the_case_are_told_with_entry_and_exit() -> None:
    own = hourly(500, free=free_time(30, scope="once"))
    case = refuted(prove(own, [hourly(500, free=free_time(30))], JUNE, horizon_s=TWO_HOURS)).as_dict()
    assert (case["entry"], case["exit"]) == ("2026-06-28T00:00:00+08:00", "2026-06-28T00:00:01+08:00")
    assert case["prior_stays"] == [{"entry": "2026-06-27T23:59:59+08:00", "exit": "2026-06-27T23:59:59+08:00"}]


def test_a_case_says_where_it_rests_on_stays_that_nobody_has_named() -> None:
    half_days = (
        band("am", "00:00", "12:00", stepped(100, 720, rounding="down")),
        band("pm", "12:00", "24:00", {"method": "free"}),
    )
    capped = hourly(100, 720, plate_cap={"kind": "rolling", "minutes": 1440, "fen": 9000})
    told = prove(tariff(*half_days), [capped], JUNE, horizon_s=12 * 3600).explain().splitlines()[0]
    assert told.endswith("超出1元。（假定此前停车已用尽参照停车场的单车封顶额。）")


def test_stays_that_nothing_bounds_are_told_only_where_they_cost_something() -> None:
    only_a_day = hourly(500, longest_stay_min=1440)
    unbounded = prove(hourly(100), [only_a_day], JUNE)
    assert unbounded.explain().endswith("收费均不高于上限。部分停车参照停车场无价格，不受上限约束。")
    for own in (hourly(100, longest_stay_min=1440), hourly(0)):
        assert not prove(own, [only_a_day], JUNE).unbounded
    evening = tariff(band("day", "08:00", "20:00", per_visit(0)), band("night", "20:00", "08:00", per_visit(5)))
    assert prove(evening, [only_a_day], JUNE).unbounded


def test_several_changes_are_told_in_one_sentence() -> None:
    own = tariff(band("day", "08:00", "20:00", per_visit(600)), band("night", "20:00", "08:00", per_visit(600)))
    reference = tariff(band("day", "08:00", "20:00", per_visit(400)), band("night", "20:00", "08:00", per_visit(500)))
    assert refuted(prove(own, [reference], JUNE)).remedy.explain() == (
        "将parameters.bands[0].fen 由6元调至4元，parameters.bands[1].fen 由6元调至5元，即可通过。"
    )
