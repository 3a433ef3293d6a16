"""A motorist erases their account on the phone."""

from app.domain.lots.models import Lot
from app.kernel.db import transaction
from app.kernel.idempotency import RememberedRequest
from tests.miniprogram.stand import Phone
from tests.miniprogram.test_reservations import driver, lot, wish

__all__ = ["driver", "lot"]


def test_an_account_is_erased_and_its_tokens_are_good_no_more(driver: Phone) -> None:
    assert answers()
    driver.delete("/me")
    assert answers() == 0
    assert driver.ask("DELETE", "/me").status_code == 401
    assert driver.ask("GET", "/vehicles").status_code == 401
    spent = driver.refresh
    assert driver.post("/sessions/refresh", {"refresh_token": spent}, expect=401)["code"] == "signed_out"
    driver.access = ""
    assert driver.sign_in().get("/vehicles") == []


def answers() -> int:
    with transaction() as session:
        return session.query(RememberedRequest).count()


def test_an_account_with_a_reservation_is_kept(driver: Phone, lot: Lot) -> None:
    driver.post("/reservations", wish(driver, lot), expect=201)
    refused = driver.delete("/me", expect=409)
    assert (refused["code"], refused["message"]) == (
        "account_has_reservation", "您还有未结束的预约、候补或固定泊位，请先取消后再注销",
    )  # fmt: skip
    assert driver.get("/reservations")
