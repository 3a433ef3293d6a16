"""Vendors' words, without a network: what a camera says is read, and what it is answered opens only when it should."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.gates.dialects import CAMERAS
from app.adapters.gates.parkingcam import ParkingCam
from app.adapters.gates.vzenith import Vzenith
from app.adapters.gates.words import (
    Beaten,
    Drop,
    Foreign,
    ListDone,
    ListRead,
    ListRow,
    Nothing,
    Pulsed,
    Put,
    Read,
    Reply,
    Seen,
    Word,
)

AT = datetime(2026, 6, 10, 12, tzinfo=UTC)
ROW = ListRow("浙A12345", AT, AT + timedelta(hours=2))


def push(**fields: Any) -> bytes:
    """A plate push of old firmware, with these fields more."""
    stamp = {"Timeval": {"sec": int(AT.timestamp()), "usec": 250_000}}
    result = {"license": "浙A12345", "colorType": 1, "timeStamp": stamp, "imageFile": "AAAA", **fields}
    alarm = {"serialno": "0a1b2c3d-00000001", "result": {"PlateResult": result}}
    return json.dumps({"AlarmInfoPlate": alarm}).encode()


def seen(body: bytes) -> Seen:
    word = Vzenith().read(body).word
    assert isinstance(word, Seen)
    return word


REPLIES = st.builds(
    Reply, opens=st.booleans(), closes=st.booleans(), snaps=st.booleans(), voice=st.sampled_from(["", "欢迎光临"]),
    step=st.sampled_from([None, Put([ROW]), Drop(["浙A12345"])]), replayed=st.sampled_from([None, 7]),
)  # fmt: skip


WORDS = st.sampled_from([seen(push()), Pulsed(1), Beaten(AT, 3), ListDone(True), ListRead([], 0, 0), Nothing()])


@pytest.mark.parametrize("profile", sorted(CAMERAS))
@given(reply=REPLIES, to=WORDS)
def test_only_an_opening_is_answered_ok(profile: str, reply: Reply, to: Word) -> None:
    dialect = CAMERAS[profile]
    answer = dialect.encoded(dialect.write(reply, to)).decode(encoding_of(profile, reply))
    assert opens(json.loads(answer)) == reply.opens


def encoding_of(profile: str, reply: Reply) -> str:
    """In which characters a camera reads an answer."""
    deletes = profile == "parkingcam-http" and isinstance(reply.step, Drop) and not reply.opens
    return "gb2312" if deletes else "utf-8"


def opens(answer: Mapping[str, Any]) -> bool:
    """Whether any part of an answer would raise the arm."""
    return any(isinstance(part, Mapping) and part.get("info") == "ok" for part in (answer, *answer.values()))


def test_a_record_told_live_late_and_twice_is_one_event() -> None:
    live, late = seen(push(plateid=7, isoffline=0)), seen(push(plateid=7, isoffline=1))
    assert live.event_id == late.event_id == f"vz-7-{int(AT.timestamp())}.250000"
    assert (live.record, late.record) == (None, 7)
    assert live.at == AT + timedelta(milliseconds=250)


def test_the_photographs_are_not_kept() -> None:
    assert "imageFile" not in json.dumps(seen(push()).told)


@pytest.mark.parametrize(("kind", "opener"), [(0, None), (1, "server"), (2, "local_list"), (9, None)])
def test_the_relay_tells_who_opened(kind: int, opener: str | None) -> None:
    assert seen(push(gioouts=[{"ionum": 0, "ctrltype": kind}])).opened_by == opener


def test_chinese_of_older_cameras_is_read() -> None:
    assert seen(push().decode("unicode-escape").encode("gb18030")).plate == "浙A12345"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xff", b'{"AlarmInfoPlate": 1}', push(timeStamp=None)])
def test_foreign_bytes_are_named_so(body: bytes) -> None:
    with pytest.raises(Foreign):
        Vzenith().read(body)


def test_a_contact_and_its_opening_again() -> None:
    def contact(value: int) -> object:
        trigger = {"source": 1, "value": value}
        told = {"AlarmGioIn": {"serialno": "s", "result": {"TriggerResult": trigger}}}
        return Vzenith().read(json.dumps(told).encode()).word

    assert contact(1) == Pulsed(1)
    assert contact(0) == Nothing()


def test_a_registration_is_a_sign_of_life_without_credentials() -> None:
    message = Vzenith().registration({"serialno": "s", "user_name": "admin", "pass_wd": "secret"})
    assert (message.serial, message.word) == ("s", Beaten())


def test_rows_are_written_by_the_clocks_of_hangzhou_and_no_row_empties_the_list() -> None:
    told = Vzenith().write(Reply(step=Put([ROW])), Nothing())["Response_AlarmInfoPlate"]["white_list_operate"]
    [row] = told["white_list_data"]
    assert (told["operate_type"], row["enable_time"]) == (0, "2026-06-10 20:00:00")
    with pytest.raises(AssertionError):
        Vzenith().write(Reply(step=Drop([""])), Nothing())


def test_a_parkingcam_reading_is_told_to_come_no_more_whatever_is_answered() -> None:
    message = ParkingCam().read(push(plateid=3))
    assert isinstance(message.word, Seen)
    for reply in (Reply(), Reply(opens=True)):
        answer = ParkingCam().write(reply, message.word)
        assert answer["Response_AlarmInfoPlate"]["content"] == "retransfer_stop"


def test_a_parkingcam_heartbeat_tells_its_count_and_its_clock_in_either_spelling() -> None:
    for name in ("Heartbeat", "heartbeat"):
        stamp = {"Timeval": {"sec": int(AT.timestamp()), "usec": 0}}
        body = json.dumps({name: {"countid": 4, "timeStamp": stamp, "serialno": "s"}}).encode()
        message = ParkingCam().read(body)
        assert (message.serial, message.word) == ("s", Beaten(AT, 4))


def test_a_parkingcam_list_is_asked_changed_and_read_in_the_makers_own_spelling() -> None:
    speaks, beat = ParkingCam(), Beaten(AT, 1)
    put = speaks.write(Reply(step=Put([ROW])), beat)
    listed = {"carnum": "浙A12345", "startime": "20260610200000", "endtime": "20260610220000"}
    assert put == {"addWhiteList": {"add_data": [listed]}}
    assert speaks.encoded(put).decode() == json.dumps(put, ensure_ascii=False)
    drop = speaks.write(Reply(step=Drop(["浙A12345"])), beat)
    assert "浙A12345" in speaks.encoded(drop).decode("gb2312")
    assert speaks.write(Reply(step=Read(1000)), beat) == {"whiteList": {"queryNumList": 1000, "listPosition": 1000}}
    told = {"totalList": 1, "queryNumList": 1, "listPosition": 0, "data": [listed], "serialno": "s"}
    assert speaks.read(json.dumps({"Response_whiteList": told}).encode()).word == ListRead([ROW], 0, 1)


@pytest.mark.parametrize("name", ["Response_AddWhiteList", "Response_DeleteWhiteList", "Response_DelWhiteListAll"])
@pytest.mark.parametrize("spelt", ["reponse", "response"])
def test_a_parkingcam_refusal_is_not_taken_for_a_success(name: str, spelt: str) -> None:
    for said, ok in (("ok", True), ("no", False), (None, False)):
        body = json.dumps({name: {spelt: said, "serialno": "s"}}).encode()
        assert ParkingCam().read(body).word == ListDone(ok)
