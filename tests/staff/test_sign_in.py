"""Who is there: passwords, waits after wrong ones, and what nobody is told."""

from datetime import datetime, timedelta

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from app.domain.staff import actions
from app.domain.staff.models import StaffAccount
from app.domain.staff.passwords import COMMON, PasswordTooWeak, check_password, fits, hashed, is_dated
from app.domain.staff.rules import LONGEST_WAIT, Actor, wait_after
from app.kernel.db import transaction
from tests.conftest import MovableClock
from tests.world import PASSWORD, staff


@pytest.fixture
def wang(evening: datetime) -> Actor:
    return staff("regulator", district_code="330106", login="wang")


def kept(who: Actor) -> StaffAccount:
    with transaction() as session:
        return session.get_one(StaffAccount, who.account_id)


def fail(times: int) -> None:
    for _ in range(times):
        with pytest.raises(actions.SignInRefused):
            actions.sign_in("wang", "not the password")


def test_signing_in_tells_who_it_is_and_what_they_may(wang: Actor) -> None:
    assert actions.sign_in("wang", PASSWORD) == wang


@pytest.mark.parametrize("login", ["wang", "nobody"])
def test_a_wrong_password_and_an_unknown_login_are_refused_alike(wang: Actor, login: str) -> None:
    with pytest.raises(actions.SignInRefused) as refusal:
        actions.sign_in(login, "not the password")
    assert refusal.value.details == {}


def test_after_five_wrong_passwords_even_the_right_one_waits(wang: Actor, clock: MovableClock) -> None:
    fail(5)
    with pytest.raises(actions.SignInRefused):
        actions.sign_in("wang", PASSWORD)
    clock.move_by(timedelta(seconds=3))
    assert actions.sign_in("wang", PASSWORD) == wang
    assert kept(wang).failed_sign_ins == 0
    fail(4)
    assert actions.sign_in("wang", PASSWORD) == wang


def test_what_is_tried_during_a_wait_does_not_prolong_it(wang: Actor) -> None:
    fail(5)
    before = kept(wang).next_sign_in_at
    fail(3)
    assert kept(wang).next_sign_in_at == before


def test_an_attempt_is_counted_before_it_is_looked_at(wang: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    def power_loss(_: str, __: str | None) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.domain.staff.actions.presence.fits", power_loss)
    with pytest.raises(KeyboardInterrupt):
        actions.sign_in("wang", PASSWORD)
    assert kept(wang).failed_sign_ins == 1


@given(st.integers(1, 10_000))
def test_waits_only_grow_and_end_at_a_quarter_of_an_hour(failed: int) -> None:
    assert timedelta() <= wait_after(failed) <= wait_after(failed + 1) <= LONGEST_WAIT
    assert wait_after(4) == timedelta()
    assert wait_after(5) == timedelta(seconds=2)


def test_a_hash_of_an_older_cost_is_renewed_when_its_owner_comes(wang: Actor) -> None:
    with transaction() as session:
        account = session.get_one(StaffAccount, wang.account_id)
        account.password_hash = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    actions.sign_in("wang", PASSWORD)
    assert not is_dated(kept(wang).password_hash)
    assert actions.sign_in("wang", PASSWORD) == wang


def test_a_password_is_changed_by_who_knows_it(wang: Actor) -> None:
    with pytest.raises(actions.SignInRefused):
        actions.change_password("wang", "not the password", "ein anderer langer Satz")
    with pytest.raises(PasswordTooWeak):
        actions.change_password("wang", PASSWORD, "kurz")
    actions.change_password("wang", PASSWORD, "ein anderer langer Satz")
    with pytest.raises(actions.SignInRefused):
        actions.sign_in("wang", PASSWORD)
    assert actions.sign_in("wang", "ein anderer langer Satz") == wang


@pytest.mark.parametrize(
    ("password", "because"),
    [
        ("elf Zeichen", "too_short"),
        ("x" * 129, "too_long"),
        ("abababababababab", "too_uniform"),
        ("wang.min.hangzhou", "like_the_login"),
        ("WANG.MIN.HANGZHOU", "like_the_login"),
        ("Woaini1314520", "common"),
        ("Ｐａｓｓｗｏｒｄ１２３４", "common"),
    ],
)
def test_a_weak_password_is_refused_and_the_reason_told(password: str, because: str) -> None:
    with pytest.raises(PasswordTooWeak) as refusal:
        check_password("wang.min.hangzhou", password)
    assert refusal.value.details == {"because": because}


@pytest.mark.parametrize("password", ["杭州西湖边的一只白鹭飞过", "correct horse battery", "十二个字不长也不短的密码"])
def test_a_long_password_of_any_script_will_do(password: str) -> None:
    check_password("wang", password)
    assert fits(password, hashed(password))


def test_every_common_password_is_long_enough_to_be_worth_its_line() -> None:
    assert {word for word in COMMON if len(word) < 11} == set()
    assert {word for word in COMMON if word != word.casefold()} == set()
