"""Vendors' words, without a network: what a camera says is read, and what it is answered opens only when it should."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.gates.dialects import CAMERAS
from app.adapters.gates.vzenith import Vzenith
from app.adapters.gates.words import Beaten, Drop, Foreign, ListRow, Nothing, Pulsed, Put, Reply, Seen

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


@pytest.mark.parametrize("profile", sorted(CAMERAS))
@given(reply=REPLIES)
def test_only_an_opening_is_answered_ok(profile: str, reply: Reply) -> None:
    assert opens(CAMERAS[profile].write(reply)) == reply.opens


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
    told = Vzenith().write(Reply(step=Put([ROW])))["Response_AlarmInfoPlate"]["white_list_operate"]
    [row] = told["white_list_data"]
    assert (told["operate_type"], row["enable_time"]) == (0, "2026-06-10 20:00:00")
    with pytest.raises(AssertionError):
        Vzenith().write(Reply(step=Drop([""])))
