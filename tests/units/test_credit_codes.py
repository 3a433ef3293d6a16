"""Unified social credit codes (GB 32100-2015): what a slip of the pen makes of one is found out."""

import random
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.units.rules import KINDS, CreditCodeWrong, good_credit_code, sample_credit_code
from app.kernel.credit_codes import CREDIT_ALPHABET, credit_check_digit, is_credit_code

SIGN = st.sampled_from(CREDIT_ALPHABET)
FIRST_17 = st.builds(
    lambda head, place, body: head + place + body,
    st.text(SIGN, min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(SIGN, min_size=9, max_size=9),
)
CODES = FIRST_17.map(lambda first: first + credit_check_digit(first))
FROM_THE_STANDARD = "91350100M000100Y43"
"""The worked example of GB 32100-2015."""


def test_the_standards_own_example_is_right() -> None:
    assert is_credit_code(FROM_THE_STANDARD)


@given(CODES, st.integers(0, 17), SIGN)
def test_one_sign_written_wrongly_is_always_found(code: str, place: int, sign: str) -> None:
    written = code[:place] + sign + code[place + 1 :]
    assert is_credit_code(written) is (written == code)


@given(CODES, st.integers(0, 16))
def test_two_neighbours_written_in_the_wrong_order_are_always_found(code: str, place: int) -> None:
    written = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert is_credit_code(written) is (written == code)


@given(CODES)
def test_a_code_has_one_check_digit(code: str) -> None:
    assert [sign for sign in CREDIT_ALPHABET if is_credit_code(code[:17] + sign)] == [code[17]]


@pytest.mark.parametrize(
    "written",
    [
        "91350100m000100y43",
        "９１３５０１００Ｍ０００１００Ｙ４３",
        " 9135 0100 M000 100Y 43 ",
        "91350100M000100Y43\u3000",
    ],
    ids=["small letters", "full width", "in groups", "a wide blank"],
)
def test_a_code_is_kept_in_one_way_of_writing(written: str) -> None:
    assert good_credit_code(written) == FROM_THE_STANDARD


@pytest.mark.parametrize(
    "written",
    ["", "91350100M000100Y4", "91350100M000100Y433", "91350100O000100Y43", "9135O100M000100Y43", "91350100M000100Y44"],
    ids=["nothing", "too short", "too long", "a letter that is none", "a letter in the district", "wrong check digit"],
)
def test_what_is_no_code_is_refused(written: str) -> None:
    with pytest.raises(CreditCodeWrong):
        good_credit_code(written)


@pytest.mark.parametrize("kind", KINDS)
def test_samples_have_codes_of_their_own_with_the_right_digit(kind: str) -> None:
    codes = {sample_credit_code(kind, number) for number in range(500)}
    assert len(codes) == 500
    assert all(map(is_credit_code, codes))


def test_the_database_judges_codes_as_the_program_does(admin: psycopg.Connection[Any]) -> None:
    chance = random.Random(7)
    right = [sample_credit_code(chance.choice([*KINDS]), number) for number in range(200)]
    slips = [code[:place] + chance.choice(CREDIT_ALPHABET + "IOSVZa ") + code[place + 1 :] for code in right
             for place in chance.sample(range(18), 3)]  # fmt: skip
    written = [*right, *slips, "", "1", FROM_THE_STANDARD.lower(), FROM_THE_STANDARD + "\n"]
    judged = admin.execute("SELECT is_credit_code(code) FROM unnest(%s::text[]) AS code", [written]).fetchall()
    assert [verdict for (verdict,) in judged] == [is_credit_code(code) for code in written]
    assert sum(verdict for (verdict,) in judged) < len(written)
