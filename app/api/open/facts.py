"""What the public may know of a lot, ready to be written down in any form. Nothing here is about a person."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from typing import Literal

import orjson

FEW = 3
"""Up to so many free bays are told as "few": who watches a small number sees single cars come and go."""

Free = int | Literal["few"] | None
Spans = tuple[tuple[datetime, datetime], ...]
"""Half-open, aware, in order."""

Closures = tuple[tuple[datetime, datetime | None], ...]
"""The same; one that nobody has said the end of ends with None."""


@dataclass(frozen=True, slots=True)
class Organisation:
    """The unit (开放单位) or the operator (运营单位); `phone` is a public service number."""

    key: uuid.UUID
    name: str
    kind: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What is announced about a lot (公告), also ahead (N5.6, N3.3); without end: until further notice."""

    kind: str
    text: str
    begins_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class PublicLot:
    """What changes seldom. The point is WGS-84; `week` are the open spans of seven days from today's midnight.

    `price_text` and `is_free_of_charge` are None where no tariff is published.
    """

    key: uuid.UUID
    name: str
    address: str
    latitude: float
    longitude: float
    unit: Organisation
    operator: Organisation | None
    district: str
    district_code: str
    shared_bays: int
    shared_chargers: int
    accessible_bays: int
    height_limit_cm: int | None
    price_text: str | None
    is_free_of_charge: bool | None
    week: Spans
    closures: Closures
    notices: tuple[Notice, ...]
    updated_at: datetime | None

    @property
    def version(self) -> str:
        """The same for the same facts, another one for others."""
        return blake2b(orjson.dumps(self), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Standing:
    """What changes by the minute: suspended or not, open now or not, and how many bays are free.

    `counted_at` is set when a partner's own system counted.
    """

    is_suspended: bool
    is_open: bool
    free_bays: Free
    counted_at: datetime | None = None

    @property
    def status(self) -> str:
        """`suspended`, `open` or `closed`."""
        if self.is_suspended:
            return "suspended"
        return "open" if self.is_open else "closed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One lot of a feed."""

    lot: PublicLot
    now: Standing


@dataclass(frozen=True, slots=True)
class Edition:
    """What holds for a whole answer.

    `week` are the seven days that the entries' hours tell; `provisional` those among them without an official
    calendar (暂定). What is not real comes from a development or test machine.
    """

    week: tuple[datetime, datetime]
    provisional: tuple[date, ...]
    publisher: str
    licence: str
    is_real: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """Some entries in the order of their keys; `next_after` is the key after which a further page begins."""

    entries: Sequence[Entry]
    next_after: uuid.UUID | None = None


def shown(free: int | None) -> Free:
    """A count as the public sees it: unknown, "few" up to FEW, else the number."""
    return "few" if free is not None and free <= FEW else free
