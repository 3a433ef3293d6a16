"""What a gate reports, read field by field. A plate is taken as it was seen: cameras err, and still a car is there."""

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.motorists.plates import ColourScheme, PlateColour, colour_from

BATCH = 200
EVENT_TYPES = frozenset(
    {"arrived", "opened", "passed", "denied", "manual_open", "reversed", "tailgate", "barrier_state", "heartbeat_gap"}
)
OPENERS = frozenset({"server", "local_list", "remote", "manual", "unknown"})
LONGEST_PLATE = 32
YEARS = range(2000, 2200)
HIGHEST_SEQ = 2**53
"""The largest number that every JSON library keeps exact."""

_EVENT_ID = re.compile(r"[!-~]{1,64}")


class Unreadable(ValueError):
    """An event that says too little to be recorded; `code` says what is wrong with it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Report:
    """One event as a gate reports it. `clock_offset`: what the gate itself would add to its clock."""

    event_id: str
    seq: int
    type: str
    direction: str | None
    plate_raw: str | None
    plate_colour: PlateColour
    device_time: datetime
    clock_offset: timedelta | None
    opened_by: str | None
    decision_key: uuid.UUID | None
    offline: bool
    body: str


def read_report(raw: object) -> Report:
    """The event in `raw`; raises `Unreadable` only for what its number, kind and moment need."""
    if not isinstance(raw, Mapping):
        raise Unreadable("event_not_an_object")
    return Report(
        event_id=_event_id(raw.get("event_id")),
        seq=_seq(raw.get("seq")),
        type=_type(raw.get("type")),
        direction=_one_of(raw.get("direction"), {"in", "out"}, None),
        plate_raw=_plate(raw.get("plate_raw")),
        plate_colour=colour_from(ColourScheme.NAMED, str(raw.get("plate_color"))),
        device_time=read_time(raw.get("device_time")),
        clock_offset=_seconds(raw.get("clock_offset")),
        opened_by=_one_of(raw.get("opened_by"), OPENERS, "unknown") if "opened_by" in raw else None,
        decision_key=_uuid(raw.get("decision_id")),
        offline=raw.get("offline") is True,
        body=text_of(raw),
    )


def seq_of(raw: object) -> int | None:
    """The number of an event that is otherwise unreadable, so that it may be accounted for."""
    if not isinstance(raw, Mapping):
        return None
    try:
        return _seq(raw.get("seq"))
    except Unreadable:
        return None


def read_time(value: object) -> datetime:
    """An ISO 8601 moment with its offset from UTC; raises `Unreadable`."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.year not in YEARS:
        raise Unreadable("device_time_unreadable")
    return moment


def contiguous(from_seq: int, seen: Iterable[int]) -> int:
    """The last number up to which nothing is missing, starting after `from_seq`."""
    last = from_seq
    for seq in sorted(set(seen)):
        if seq > last + 1:
            break
        last = max(last, seq)
    return last


def _event_id(value: object) -> str:
    if not (isinstance(value, str) and _EVENT_ID.fullmatch(value)):
        raise Unreadable("event_id_unreadable")
    return value


def _seq(value: object) -> int:
    if not (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= HIGHEST_SEQ):
        raise Unreadable("seq_unreadable")
    return value


def _type(value: object) -> str:
    if not (isinstance(value, str) and value in EVENT_TYPES):
        raise Unreadable("type_unknown")
    return value


def _one_of(value: object, known: Iterable[str], otherwise: str | None) -> str | None:
    return value if isinstance(value, str) and value in known else otherwise


def _plate(value: object) -> str | None:
    """Half a surrogate pair becomes a question mark: it could not be written down otherwise."""
    if not isinstance(value, str):
        return None
    return value.encode("utf-8", "replace").decode()[:LONGEST_PLATE]


def _seconds(value: object) -> timedelta | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return timedelta(seconds=value) if abs(value) < timedelta(days=3650).total_seconds() else None


def _uuid(value: object) -> uuid.UUID | None:
    try:
        return uuid.UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def text_of(raw: object) -> str:
    """An event as text, to be kept whatever it says."""
    return json.dumps(raw)
