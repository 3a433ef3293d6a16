"""The stand-in is as strict as the interface: account, signature, cipher, fields, known lots, numbers."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from app.adapters.city import UnusableCityKey, read_private_key, read_public_key
from app.adapters.city.client import read_answer
from app.adapters.city.outcomes import Accepted, Barred, Refused, Unknown
from app.adapters.city.sealing import sealed, signed
from tests.city_feed.stand import CityStand

CODE = "330106000001"
STATE = {
    "parkingCode": CODE, "totalBerthNum": 9, "openBerthNum": 3, "freeBerthNum": 2, "uploadTime": "2026-06-10 20:00:00",
}  # fmt: skip
LOT = {
    "parkingCode": CODE, "parkingName": "示例停车场", "address": "示例路1号", "regionCode": "330106",
    "areaCode": "330106", "priceType": 2, "feeScale": "示例", "openTime": "示例", "parkingLocate": 1, "parkingType": 1,
    "totalBerthNum": 9, "openBerthNum": 3, "bmapX": "120.1", "bmapY": "30.2", "gmapX": "120.1", "gmapY": "30.2",
    "tempTotalNum": 3, "intrinsicTotalNum": 6, "visitorTotalNum": 0, "chargeTotalNum": 0,
    "uploadTime": "2026-06-10 20:00:00",
}  # fmt: skip
ARRIVAL = {
    **STATE, "uid": f"{CODE}120260610200000000", "arriveID": "1", "plateNo": "浙A12345", "plateColor": "1",
    "carType": 1, "entryNum": "1", "arriveTime": "2026-06-10 20:00:00", "parkingType": 3,
}  # fmt: skip
DEPARTURE = {**ARRIVAL, "endID": "1", "endTime": "2026-06-10 21:00:00", "outNum": "1", "chargeFee": 0, "shouldPay": 300}


def told(city: CityStand, operation: str, fields: Mapping[str, Any], body: str = "form", **changed: str) -> int:
    """The `resultCode` for a message written by hand."""
    cipher = sealed(fields, read_public_key(city.material.directory / "city_public.pem"))
    sign = signed(cipher, read_private_key(city.material.directory / "platform_key.pem"), "sha256")
    message = {"accessID": city.material.access_id, "cipher": cipher, "sign": sign} | changed
    way = "tcjg" if operation == "uploadHeartbeat" else "cp"
    url = f"{city.url}/api/v2/{way}/{operation}"
    answer = (
        requests.post(url, json=message, timeout=5) if body == "json" else requests.post(url, data=message, timeout=5)
    )
    return int(answer.json()["resultCode"])


@pytest.fixture
def knows_lot(city: CityStand) -> CityStand:
    assert told(city, "uploadParkingInfo", LOT) == 200
    return city


def test_a_message_may_be_a_form_or_json(knows_lot: CityStand) -> None:
    assert told(knows_lot, "uploadParkingState", STATE) == told(knows_lot, "uploadParkingState", STATE, "json") == 200


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"accessID": "nobody"}, 401),
        ({"sign": base64.b64encode(b"x" * 256).decode()}, 403),
        ({"sign": "no base64"}, 403),
        ({"cipher": "altered"}, 403),
    ],
)
def test_a_stranger_or_an_altered_message_is_barred(knows_lot: CityStand, changed: dict[str, str], code: int) -> None:
    assert told(knows_lot, "uploadParkingState", STATE, **changed) == code


@pytest.mark.parametrize(
    ("operation", "fields", "wrong"),
    [
        ("uploadParkingInfo", LOT, {"parkingName": None}),
        ("uploadParkingInfo", LOT, {"priceType": 4}),
        ("uploadParkingInfo", LOT, {"attachedType": "17"}),
        ("uploadParkingInfo", LOT, {"colour": "red"}),
        ("uploadParkingState", STATE, {"freeBerthNum": 4}),
        ("uploadParkingState", STATE, {"totalBerthNum": "9"}),
        ("uploadParkingState", STATE, {"uploadTime": "2026-06-10T20:00:00"}),
        ("uploadParkingState", STATE, {"uploadTime": "2026-06-31 20:00:00"}),
        ("uploadCarInData", ARRIVAL, {"plateColor": "9"}),
        ("uploadCarInData", ARRIVAL, {"parkingType": 5}),
        ("uploadCarInData", ARRIVAL, {"carType": True}),
        ("uploadCarInData", ARRIVAL, {"uid": ""}),
        ("uploadCarOutData", DEPARTURE, {"shouldPay": -1}),
        ("uploadHeartbeat", {"parkingCode": CODE, "uploadTime": "2026-06-10 20:00:00"}, {"uploadTime": None}),
    ],
)
def test_a_field_that_is_not_as_documented_is_refused(
    knows_lot: CityStand, operation: str, fields: dict[str, Any], wrong: dict[str, Any]
) -> None:
    changed = {name: value for name, value in (fields | wrong).items() if value is not None}
    assert told(knows_lot, operation, changed) == 1001


def test_a_lot_that_was_not_told_is_not_known(city: CityStand) -> None:
    assert told(city, "uploadCarInData", ARRIVAL) == 1002


def test_an_exit_needs_its_entry_and_follows_it(knows_lot: CityStand) -> None:
    assert told(knows_lot, "uploadCarOutData", DEPARTURE) == 1003
    assert told(knows_lot, "uploadCarInData", ARRIVAL) == 200
    assert told(knows_lot, "uploadCarOutData", DEPARTURE | {"endTime": "2026-06-10 19:00:00"}) == 1004
    assert told(knows_lot, "uploadCarOutData", DEPARTURE) == 200


def test_a_visit_told_twice_is_known_once(knows_lot: CityStand) -> None:
    for _ in range(2):
        assert told(knows_lot, "uploadCarInData", ARRIVAL) == 200
    assert [kind for kind, _ in knows_lot.taken] == ["lot", "arrival"]


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"resultCode": 200}, Accepted()),
        (200, {"resultCode": "200"}, Accepted()),
        (200, {"resultCode": 403}, Barred("403")),
        (200, {"resultCode": 429}, Unknown("resultCode 429")),
        (200, {"resultCode": 1001}, Refused("1001")),
        (200, {"resultCode": None}, Unknown("an answer without resultCode")),
        (200, [], Unknown("an answer without resultCode")),
        (502, {"resultCode": 200}, Unknown("HTTP 502")),
    ],
)
def test_an_answer_is_read_strictly(status: int, body: object, outcome: object) -> None:
    assert read_answer(status, json.dumps(body).encode()) == outcome


def test_an_answer_that_is_no_json_or_endless_says_nothing() -> None:
    assert read_answer(200, b"<html>") == Unknown("an answer that is not JSON")
    assert read_answer(200, b"[" * 70_000) == Unknown("an answer without end")


def test_a_file_that_is_no_key_is_named_and_not_shown(tmp_path: Path) -> None:
    wrong = tmp_path / "key.pem"
    wrong.write_text("no key at all")
    with pytest.raises(UnusableCityKey, match=str(wrong)):
        read_public_key(wrong)
    with pytest.raises(UnusableCityKey) as refused:
        read_private_key(wrong)
    assert "no key at all" not in str(refused.value)
