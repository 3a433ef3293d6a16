"""The requests that are sent: bytes, made beforehand, each reservation by a motorist of its own."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import cycle
from urllib.parse import urlencode

from app.domain.lots.queries import Point
from app.web.tokens import AccessTokens, Bearer
from bench.city import ALL_LOTS, key_of, some_point
from bench.ground import MOMENT
from bench.metropolis import Metropolis
from miniprogram_api.door import AUDIENCE

HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
NIGHTS = 6
HOT_SHARE = 0.5
HOT_LOTS = ALL_LOTS[:2]
FIRST_EVENING = MOMENT + HOUR
"""Reservations begin on one of the next six nights, on the hour between 21:00 and 07:00."""

BARE = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"


def bare() -> Iterator[bytes]:
    """The yardstick's request."""
    return cycle([BARE])


def searches(keys: Mapping[str, bytes], motorists: Sequence[int]) -> Iterator[bytes]:
    """Nearby searches around places all over the city for two evening hours, by many motorists in turn."""
    chance = random.Random(2)  # noqa: S311 - the same searches in every run
    return cycle(
        [_search(some_point(chance), a_beginning(chance), 2 * HOUR, token) for token in _tokens(keys, motorists)]
    )


def searches_in(
    city: Metropolis, keys: Mapping[str, bytes], motorists: Sequence[int], issued_at: datetime
) -> Iterator[bytes]:
    """Nearby searches without end, hardly two alike: anywhere in the city, for one to three hours of the next day."""
    chance = random.Random(4)  # noqa: S311 - the same searches in every run
    for token in cycle(list(_tokens(keys, motorists, issued_at))):
        begins_at = MOMENT + chance.randrange(1, 97) * QUARTER
        yield _search(city.some_point(chance), begins_at, chance.randrange(2, 7) * HOUR / 2, token)


def _search(point: Point, begins_at: datetime, stay: timedelta, token: str) -> bytes:
    asked = {
        "lat": point.latitude, "lng": point.longitude,
        "begins_at": begins_at.isoformat(), "ends_at": (begins_at + stay).isoformat(),
    }  # fmt: skip
    head = f"GET /mp/v1/lots?{urlencode(asked)} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n"
    return head.encode()


def reservations(keys: Mapping[str, bytes], motorists: Sequence[int]) -> Iterator[bytes]:
    """One reservation for each motorist, then no more."""
    chance = random.Random(3)  # noqa: S311 - the same wishes in every run
    for number, token in zip(motorists, _tokens(keys, motorists), strict=True):
        yield _reservation(chance.choice(ALL_LOTS), a_beginning(chance), number, token)


def attempts(keys: Mapping[str, bytes], motorists: Sequence[int]) -> Iterator[bytes]:
    """One wish of each motorist: half of them want one of two lots for the same hour, where soon nothing is free."""
    chance = random.Random(5)  # noqa: S311 - the same wishes in every run
    for number, token in zip(motorists, _tokens(keys, motorists), strict=True):
        if chance.random() < HOT_SHARE:
            yield _reservation(chance.choice(HOT_LOTS), FIRST_EVENING, number, token)
        else:
            yield _reservation(chance.choice(ALL_LOTS), a_beginning(chance), number, token)


def _reservation(lot: int, begins_at: datetime, number: int, token: str) -> bytes:
    body = json.dumps(
        {
            "lot_key": str(key_of(lot)), "vehicle_key": str(key_of(number)),
            "begins_at": begins_at.isoformat(), "ends_at": (begins_at + HOUR).isoformat(),
        }
    )  # fmt: skip
    head = (
        f"POST /mp/v1/reservations HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
        f"Idempotency-Key: bench-{number}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


def a_beginning(chance: random.Random) -> datetime:
    """An hour on one of the next nights at which every lot is open, and still is an hour later."""
    return FIRST_EVENING + timedelta(days=chance.randrange(NIGHTS), hours=chance.randrange(11))


def _tokens(keys: Mapping[str, bytes], motorists: Sequence[int], issued_at: datetime = MOMENT) -> Iterator[str]:
    door = AccessTokens(keys, AUDIENCE)
    return (door.issue(Bearer(key_of(number), 1), issued_at) for number in motorists)
