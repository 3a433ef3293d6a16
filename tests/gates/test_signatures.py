"""The platform and the stand-in, written apart, sign alike; the protocol's text shows the same examples."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.gates.rules import clocks, reports
from app.domain.gates.rules.lists import ListRow, list_digest
from app.kernel import signatures
from app.kernel.signatures import SignedMessage
from simulators.gate import wire

HERE = Path(__file__).parent
VECTORS: dict[str, Any] = json.loads((HERE / "vectors.json").read_text())
KEY = bytes.fromhex(VECTORS["key_hex"])
TEXT = (HERE.parents[1] / "docs" / "gate-protocol.md").read_text()


def message(vector: dict[str, str]) -> SignedMessage:
    return SignedMessage(
        vector["method"], vector["target"], "gate", "k1", vector["timestamp"], vector["nonce"],
        vector["content_sha256"], vector["signature"], vector["body"].encode(),
    )  # fmt: skip


@pytest.mark.parametrize("vector", VECTORS["requests"])
def test_a_worked_request_is_signed_as_written_by_both_sides_and_in_the_text(vector: dict[str, str]) -> None:
    assert signatures.is_signed(KEY, message(vector))
    parts = (vector["method"], vector["target"], vector["timestamp"], vector["nonce"], vector["content_sha256"])
    assert wire.signature(KEY, *parts) == vector["signature"]
    assert vector["signature"] in TEXT


@pytest.mark.parametrize("vector", VECTORS["answers"])
def test_a_worked_answer_is_signed_as_written_by_both_sides_and_in_the_text(vector: dict[str, Any]) -> None:
    body = vector["body"].encode()
    signed = signatures.answer_signature(KEY, vector["status"], vector["nonce"], vector["timestamp"], body)
    assert signed == vector["signature"]
    headers = {"X-Timestamp": vector["timestamp"], "X-Signature": signed}
    assert wire.is_signed(KEY, vector["status"], vector["nonce"], headers, body)
    assert signed in TEXT


@pytest.mark.parametrize("vector", VECTORS["lists"])
def test_a_worked_list_has_the_digest_as_written_by_both_sides_and_in_the_text(vector: dict[str, Any]) -> None:
    assert list_digest(ListRow(**row) for row in vector["rows"]) == vector["sha256"]
    assert wire.list_digest(reversed(vector["rows"])) == vector["sha256"]
    assert vector["sha256"] in TEXT


@given(st.binary(min_size=32, max_size=32), st.binary(), st.integers(0, 200))
def test_one_changed_bit_of_the_body_breaks_the_signature(key: bytes, body: bytes, bit: int) -> None:
    digest = wire.digest(body)
    signed = wire.signature(key, "POST", "/gate/v1/events", "1", "n" * 16, digest)
    whole = SignedMessage("POST", "/gate/v1/events", "g", "k", "1", "n" * 16, digest, signed, body)
    assert signatures.is_signed(key, whole)
    changed = bytearray(body or b"\0")
    changed[bit // 8 % len(changed)] ^= 1 << bit % 8
    broken = SignedMessage("POST", "/gate/v1/events", "g", "k", "1", "n" * 16, digest, signed, bytes(changed))
    assert not signatures.is_signed(key, broken) or bytes(changed) == body


@pytest.mark.parametrize("stamp", ["", "1.5", "-1", "٣", "9" * 13, " 1", "1781092800\n"])
def test_a_timestamp_is_whole_seconds_in_plain_digits(stamp: str) -> None:
    assert not signatures.is_timely(stamp, datetime.fromtimestamp(1781092800, UTC))


@given(st.sets(st.integers(1, 30)), st.integers(0, 10))
def test_numbers_are_complete_up_to_the_first_that_is_missing(seen: set[int], start: int) -> None:
    last = reports.contiguous(start, seen)
    assert set(range(start + 1, last + 1)) <= seen
    assert last + 1 not in seen


@given(st.lists(st.integers(-3600, 3600), min_size=5, max_size=9))
def test_one_slow_heartbeat_does_not_move_a_clock(samples: Iterable[int]) -> None:
    offsets = [timedelta(seconds=sample) for sample in samples]
    newest = sorted(offsets[:5])
    assert clocks.clock_offset(offsets) == newest[2]
