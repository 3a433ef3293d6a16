from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from app.domain.motorists.actions.sessions import ABSOLUTE, GRACE, IDLE
from tests.conftest import MovableClock
from tests.miniprogram.stand import Phone


def renew(phone: Phone, token: str, expect: int = 201) -> dict[str, Any]:
    answer: dict[str, Any] = phone.post("/sessions/refresh", {"refresh_token": token}, expect=expect)
    return answer


def test_a_refresh_token_brings_a_new_pair(phone: Phone) -> None:
    first = phone.sign_in().refresh
    phone.keep(renew(phone, first))
    assert phone.refresh != first
    assert phone.get("/vehicles") == []


def test_a_phone_that_lost_the_answer_gets_the_same_successor(phone: Phone) -> None:
    first = phone.sign_in().refresh
    assert renew(phone, first)["refresh_token"] == renew(phone, first)["refresh_token"]


def test_phones_that_refresh_at_once_get_one_successor(phone: Phone) -> None:
    first = phone.sign_in().refresh
    rivals = [Phone(phone.client.application.test_client(), phone.wechat) for _ in range(6)]
    with ThreadPoolExecutor(len(rivals)) as pool:
        successors = list(pool.map(lambda rival: renew(rival, first)["refresh_token"], rivals))
    assert len(set(successors)) == 1


def test_a_spent_token_that_comes_late_ends_the_whole_sign_in(phone: Phone, clock: MovableClock) -> None:
    first = phone.sign_in().refresh
    second = renew(phone, first)["refresh_token"]
    clock.move_by(GRACE + timedelta(seconds=5))
    assert renew(phone, first, expect=401)["code"] == "signed_out"
    assert renew(phone, second, expect=401)["code"] == "signed_out"


def test_a_stolen_sign_in_ends_with_the_access_tokens_that_it_gave(phone: Phone, clock: MovableClock) -> None:
    first = phone.sign_in().refresh
    elsewhere = Phone(phone.client, phone.wechat, phone.openid).sign_in()
    phone.keep(renew(phone, first))
    clock.move_by(GRACE + timedelta(seconds=5))
    renew(phone, first, expect=401)
    assert phone.get("/vehicles", expect=401)["code"] == "invalid_token"
    elsewhere.get("/vehicles", expect=401)
    elsewhere.keep(renew(elsewhere, elsewhere.refresh))
    assert elsewhere.get("/vehicles") == []


def test_the_end_of_one_sign_in_leaves_the_others(phone: Phone, clock: MovableClock) -> None:
    first = phone.sign_in().refresh
    elsewhere = Phone(phone.client, phone.wechat, phone.openid).sign_in()
    renew(phone, first)
    clock.move_by(GRACE + timedelta(seconds=5))
    renew(phone, first, expect=401)
    assert renew(elsewhere, elsewhere.refresh)["refresh_token"]


def test_a_phone_that_was_idle_for_two_weeks_signs_in_again(phone: Phone, clock: MovableClock) -> None:
    token = phone.sign_in().refresh
    clock.move_by(IDLE + timedelta(minutes=1))
    assert renew(phone, token, expect=401)["code"] == "signed_out"


def test_after_thirty_days_even_a_busy_phone_signs_in_again(phone: Phone, clock: MovableClock) -> None:
    token = phone.sign_in().refresh
    for _ in range(3):
        clock.move_by(ABSOLUTE / 3 - timedelta(minutes=1))
        token = renew(phone, token)["refresh_token"]
    clock.move_by(timedelta(minutes=10))
    assert renew(phone, token, expect=401)["code"] == "signed_out"


def test_a_made_up_refresh_token_is_refused(phone: Phone) -> None:
    assert renew(phone, "made-up", expect=401)["code"] == "signed_out"


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(phone: Phone) -> None:
    phone.sign_in()
    renew(phone, phone.access, expect=422 if len(phone.access) > 128 else 401)
    phone.access = phone.refresh
    assert phone.get("/vehicles", expect=401)["code"] == "invalid_token"


def test_an_access_token_ends_after_fifteen_minutes_of_the_platforms_clock(phone: Phone, clock: MovableClock) -> None:
    phone.sign_in()
    clock.move_by(timedelta(minutes=14, seconds=50))
    phone.get("/vehicles")
    clock.move_by(timedelta(seconds=15))
    assert phone.get("/vehicles", expect=401)["code"] == "invalid_token"
