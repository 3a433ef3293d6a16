"""Amounts in capitals, tax within a price, remarks that fit, and when a platform is asked again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from payments.receipts.rules import LONGEST_REMARK, next_try, remark_of
from payments.receipts.rules.capitals import in_capitals
from payments.receipts.rules.taxes import tax_within

DIGITS = {character: value for value, character in enumerate("零壹贰叁肆伍陆柒捌玖")}
UNITS = {"拾": 10, "佰": 100, "仟": 1000}


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "零元整"),
        (1, "壹分"),
        (10, "壹角整"),
        (105, "壹元零伍分"),
        (1250, "壹拾贰元伍角整"),
        (100_000, "壹仟元整"),
        (100_500, "壹仟零伍元整"),
        (1_000_700, "壹万零柒元整"),
        (10_010_000, "壹拾万零壹佰元整"),
        (1_680_32, "壹仟陆佰捌拾元叁角贰分"),
        (10_700_053, "壹拾万柒仟元伍角叁分"),
        (100_000_000_000, "壹拾亿元整"),
        (100_000_000_100, "壹拾亿零壹元整"),
        (1_000_000_000_000_000, "壹拾万亿元整"),
    ],
)
def test_an_amount_in_capitals_is_written_as_the_rules_of_accounting_have_it(fen: int, words: str) -> None:
    assert in_capitals(fen) == words


@given(st.integers(0, 10**18 - 1))
def test_an_amount_in_capitals_reads_back_as_the_same_amount(fen: int) -> None:
    assert read_back(in_capitals(fen)) == fen


@given(st.integers(0, 10**18 - 1))
def test_no_two_zeros_stand_together_in_capitals(fen: int) -> None:
    assert "零零" not in in_capitals(fen)


@pytest.mark.parametrize("fen", [-1, 10**18])
def test_what_no_bill_can_be_for_has_no_capitals(fen: int) -> None:
    with pytest.raises(ValueError, match="between 0"):
        in_capitals(fen)


def read_back(words: str) -> int:
    """Capitals as fen, by a reader of its own."""
    yuan, _, rest = words.partition("元") if "元" in words else ("", "", words)
    jiao = rest.partition("角")[0][-1:] if "角" in rest else ""
    fen = rest.partition("分")[0][-1:] if "分" in rest else ""
    return whole(yuan) * 100 + DIGITS.get(jiao, 0) * 10 + DIGITS.get(fen, 0)


def whole(words: str) -> int:
    for unit, value in (("亿", 10**8), ("万", 10**4)):
        head, found, tail = words.rpartition(unit)
        if found:
            return whole(head) * value + whole(tail)
    total = digit = 0
    for character in words:
        if character in UNITS:
            total, digit = total + digit * UNITS[character], 0
        else:
            digit = DIGITS[character]
    return total + digit


def test_the_tax_within_nine_yuan_at_nine_percent() -> None:
    assert (tax_within(900, 900), tax_within(900, 0), tax_within(1, 900)) == (74, 0, 0)


@given(st.integers(1, 10**9), st.integers(0, 2000))
def test_net_and_tax_are_the_price_and_the_tax_is_the_nets_to_half_a_fen(fen: int, points: int) -> None:
    tax = tax_within(fen, points)
    assert 0 <= tax < fen or (tax, fen) == (0, fen)
    assert abs(tax * (10_000 + points) - fen * points) * 2 <= 10_000 + points


@given(st.lists(st.text("浙A12345 至", min_size=1, max_size=60), min_size=1, max_size=50))
@example(["1" * 60, "1" * 60, "1" * 60, "1" * 13, "1" * 9, "1"])
def test_a_remark_fits_and_never_ends_within_a_plate(told: list[str]) -> None:
    remark = remark_of(told)
    assert len(remark) <= LONGEST_REMARK
    assert all(part in told or part == f"等{len(told)}笔" for part in remark.split("；"))


def test_a_platform_is_asked_ever_more_slowly_and_never_given_up() -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    waits = [next_try(attempts, now) - now for attempts in (1, 2, 6, 600)]
    assert waits == [timedelta(minutes=1), timedelta(minutes=2), timedelta(hours=1), timedelta(hours=1)]
