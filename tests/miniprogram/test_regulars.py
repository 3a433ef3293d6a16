"""Regular places on the phone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.domain.lots.models import Lot
from app.domain.regulars.actions import draw, tend
from app.domain.regulars.models import RegularRound
from app.domain.regulars.rules.draw import commitment
from tests import world
from tests.miniprogram.stand import Phone
from tests.miniprogram.test_reservations import driver, lot, ready
from tests.regulars.scene import DRAWN, OPENS, WORK_NIGHTS, a_round, recomputed

__all__ = ["driver", "lot"]

At = Callable[[datetime], None]


@pytest.fixture
def one(driver: Phone, stranger: Phone, at: At) -> RegularRound:
    """A round with one place that takes applications; both phones may apply."""
    ready(stranger)
    made = a_round(world.open_lot(bays=7))
    at(OPENS + timedelta(hours=1))
    return made


def applies(phone: Phone, one: RegularRound, expect: int = 201) -> Any:
    phone.sign_in()
    wish = {"vehicle_key": phone.get("/vehicles")[0]["key"]}
    return phone.post(f"/regular-rounds/{one.key}/applications", wish, expect=expect)


def test_a_round_is_found_by_its_lot_with_what_it_committed_to(driver: Phone, one: RegularRound, lot: Lot) -> None:
    driver.sign_in()
    shown = driver.get(f"/regular-rounds/{one.key}")
    assert (shown["state"], shown["places"], shown["applications"]) == ("open", 1, 0)
    assert (shown["first_night"], shown["last_night"]) == ("2026-06-22", "2026-06-28")
    assert driver.get("/regular-rounds", {"lot_key": shown["lot"]["key"]})["items"] == [shown]
    assert driver.get("/regular-rounds", {"lot_key": str(lot.key)})["items"] == []
    before = driver.get(f"/regular-rounds/{one.key}/draw")
    assert (before["secret"], before["items"], before["commitment"]) == (None, [], shown["commitment"])


def test_two_apply_one_wins_both_can_make_the_draw_again_and_a_place_given_back_is_handed_on(
    driver: Phone, stranger: Phone, one: RegularRound, at: At
) -> None:
    mine, other = applies(driver, one), applies(stranger, one)
    assert (mine["state"], mine["rank"], mine["nights"]) == ("applied", None, [])
    assert applies(driver, one, expect=409)["code"] == "regular_already_applied"
    at(DRAWN)
    assert draw(one.id)
    tend(one.id)
    phones = {mine["key"]: driver.sign_in(), other["key"]: stranger.sign_in()}
    told = driver.get(f"/regular-rounds/{one.key}/draw")
    order = [row["key"] for row in told["items"]]
    assert order == [str(key) for key in recomputed(told["secret"], list(phones))]
    assert commitment(told["secret"]) == told["commitment"] == one.commitment
    assert set(told["items"][0]) == {"key", "ticket", "rank"}, "and nothing of anybody"
    winner, loser = phones[order[0]], phones[order[1]]
    won = winner.get(f"/regular-applications/{order[0]}")
    assert [night["night"] for night in won["nights"]] == [str(night) for night in WORK_NIGHTS]
    lost = loser.get(f"/regular-applications/{order[1]}")
    assert (lost["state"], lost["rank"], lost["ahead"], lost["nights"]) == ("waiting", 2, 0, [])
    assert loser.get(f"/regular-applications/{order[0]}", expect=404)["code"] == "regular_application_not_found"
    assert loser.post(f"/regular-applications/{order[0]}/return", expect=404)["code"]
    winner.post(f"/reservations/{won['nights'][0]['reservation_key']}/cancellation", expect=201)
    gone = winner.post(f"/regular-applications/{order[0]}/return", expect=201)
    assert (gone["state"], {night["state"] for night in gone["nights"]}) == ("given_back", {"cancelled"})
    tend(one.id)
    assert loser.get("/regular-applications")["items"][0]["state"] == "won"


def test_a_motorist_withdraws(driver: Phone, one: RegularRound) -> None:
    mine = applies(driver, one)
    assert driver.post(f"/regular-applications/{mine['key']}/withdrawal", expect=201)["state"] == "withdrawn"
    assert driver.get(f"/regular-rounds/{one.key}")["applications"] == 0
    assert driver.post(f"/regular-applications/{mine['key']}/return", expect=409)["code"] == "wrong_state"
