"""A motorist erases their account on the phone."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from flask.testing import FlaskClient

from app.domain.erasure import queries
from app.domain.lots.models import Lot
from app.kernel.db import transaction
from app.kernel.idempotency import RememberedRequest
from app.kernel.refusals import Conflict
from launcher.processes import await_that
from tests.miniprogram.stand import Phone, a_plate
from tests.miniprogram.test_reservations import driver, lot, wish
from tests.races import somebody_waits

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


def test_what_follows_and_what_stands_in_the_way_is_told_before(client: FlaskClient) -> None:
    told: Any = client.get("/openapi.json").get_json()
    described = told["paths"]["/mp/v1/me"]["delete"]["description"]
    assert all(word in described for word in ("不可恢复", "删除：", "保留：", "不能注销"))
    codes = {each.code for each in vars(queries).values() if isinstance(each, type) and issubclass(each, Conflict)}
    mine = codes - {Conflict.code}
    assert len(mine) == 6
    assert all(f"`{code}`" in described for code in mine)


def test_what_is_asked_while_the_account_is_being_erased_waits_and_is_refused(
    driver: Phone, admin: psycopg.Connection[Any]
) -> None:
    asked = {"plate": a_plate(), "colour": "blue"}
    with ThreadPoolExecutor(1) as pool:
        with admin.transaction():
            admin.execute(
                "UPDATE motorist SET erased_at = now(), openid_bidx = NULL, openid_enc = NULL, phone_bidx = NULL, "
                "phone_enc = NULL"
            )
            told = pool.submit(driver.post, "/vehicles", asked, 401)
            assert await_that(lambda: told.done() or somebody_waits(admin), seconds=20)
            assert not told.done()
        assert told.result(20)["code"] == "account_erased"
