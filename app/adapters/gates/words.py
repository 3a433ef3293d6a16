"""What cameras say and are told, in words that belong to no vendor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


class Foreign(ValueError):
    """Bytes that this dialect does not have."""


@dataclass(frozen=True)
class Seen:
    """A car that the camera read; `event_id` is the same when the same record comes again.

    `opened_by` is server, local_list or `None`: the arm stayed down, or, unless it `tells_relay`, who knows. `record`
    is the number by which a replayed record is acknowledged. `colour` is the vendor's own code.
    """

    event_id: str
    plate: str = field(repr=False)
    colour: str
    at: datetime
    offline: bool = False
    opened_by: str | None = None
    tells_relay: bool = True
    record: int | None = None
    told: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Pulsed:
    """Something closed a contact of the camera: `source` is the number of the input."""

    source: int


@dataclass(frozen=True)
class Beaten:
    """A sign of life; `at` by the camera's own clock where it tells it, `count` rises until the next power cut."""

    at: datetime | None = None
    count: int | None = None


@dataclass(frozen=True)
class ListRow:
    """One plate on a camera's own list, and when it opens for it."""

    plate: str = field(repr=False)
    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class ListDone:
    """The camera carried out the last change of its list, or refused to."""

    ok: bool


@dataclass(frozen=True)
class ListRead:
    """A part of what the camera's list really holds, from `position` on."""

    rows: Sequence[ListRow]
    position: int
    total: int


@dataclass(frozen=True)
class Nothing:
    """A message that needs no more than an answer."""


Word = Seen | Pulsed | Beaten | ListDone | ListRead | Nothing


@dataclass(frozen=True)
class Message:
    """What one request of a camera says, and the serial number under which it says it."""

    serial: str
    word: Word


@dataclass(frozen=True)
class Put:
    """Rows to add, or to replace where the plate is there already."""

    rows: Sequence[ListRow]


@dataclass(frozen=True)
class Drop:
    """Plates to remove."""

    plates: Sequence[str] = field(repr=False)


@dataclass(frozen=True)
class Read:
    """A question: what do you hold, from this row on?"""

    position: int


Step = Put | Drop | Read


@dataclass(frozen=True)
class Reply:
    """What a camera is answered. Only `opens` may ever raise the arm."""

    opens: bool = False
    closes: bool = False
    snaps: bool = False
    voice: str = ""
    step: Step | None = None
    replayed: int | None = None


@dataclass(frozen=True)
class Habits:
    """What a dialect can do: rows in one change of the list, and whether the list can be read in the same channel.

    `beats_tell_time`: the clock is measured by heartbeats, and what was read long ago by it comes late whatever the
    message says of itself; otherwise live readings measure the clock, and a late one says that it is.
    """

    puts: int
    drops: int
    reads_back: bool
    can: frozenset[str]
    beats_tell_time: bool = False


class Dialect(Protocol):
    """A vendor's words for what the door does the same way for all."""

    colours: str
    habits: Habits

    def read(self, body: bytes) -> Message:
        """What a camera's JSON push says; raises `Foreign`."""

    def registration(self, form: Mapping[str, str]) -> Message:
        """What a camera's form says, without the credentials in it; raises `Foreign` where there are no forms."""

    def write(self, reply: Reply, to: Word) -> Mapping[str, Any]:
        """The answer to what was said, as JSON."""

    def encoded(self, answer: Mapping[str, Any]) -> bytes:
        """The same in this camera's characters."""
