"""What the visits must cost, held against the examples that the tariffs themselves give."""

import pytest

from demo import fees
from demo.fees import Fee, civic_garage, road_berth


@pytest.mark.parametrize(
    ("minutes", "fen"),
    [(15, 0), (16, 300), (30, 300), (45, 300), (46, 600), (60, 600), (75, 600), (76, 1000), (105, 1000), (120, 1400)],
)
def test_half_hours_of_a_road_berth_count_with_a_tail_of_more_than_15_minutes(minutes: int, fen: int) -> None:
    assert road_berth(minutes, 300, 400, 0) == fen


def test_the_evening_from_six_until_the_next_day_is_a_flat_night_after_14_yuan() -> None:
    assert road_berth(120, 300, 400, 500) == 1900


@pytest.mark.parametrize(("minutes", "fen"), [(20, 400), (60, 400), (75, 400), (76, 800), (115, 800), (135, 800)])
def test_the_first_hour_of_the_civic_garage_counts_however_short(minutes: int, fen: int) -> None:
    assert civic_garage(minutes) == fen


@pytest.mark.parametrize(
    ("fee", "own", "cap"),
    [
        (fees.ORGAN_SO_FAR, 600, 400),
        (fees.ORGAN, 1500, 800),
        (fees.INSTITUTION, 880, 1100),
        (fees.ENTERPRISE, 1500, 1500),
        (fees.UNHEARD, 1100, 1100),
        (fees.OFFLINE, 1100, 1100),
        (fees.SHORT, 0, 0),
    ],
)
def test_each_visit_has_its_price_counted_by_hand(fee: Fee, own: int, cap: int) -> None:
    assert (fee.own_fen, fee.cap_fen) == (own, cap)


def test_nobody_pays_more_than_the_lot_asks_or_the_cap_allows() -> None:
    assert Fee(1500, 800, "").fee_fen == 800
    assert Fee(880, 1100, "").fee_fen == 880


def test_an_amount_is_told_with_both_decimals() -> None:
    assert [fees.yuan(fen) for fen in (5, 880, 150_000)] == ["0.05 yuan", "8.80 yuan", "1500.00 yuan"]
