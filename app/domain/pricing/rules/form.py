"""Reading a JSON form so that whatever is wrong is named by its place."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TypeVar

from app.kernel.refusals import Invalid

T = TypeVar("T")
Read = Callable[[object, str], T]

DAY_SECONDS: Final = 86_400
HOUR_SECONDS: Final = 3_600
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")


class InvalidTariff(Invalid):
    """The parameters of a tariff do not follow the form of docs/tariffs.md; details: `where` and `reason`."""

    code = "invalid_tariff"
    message = "收费标准的参数有误"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(where=where, reason=reason)

    def __str__(self) -> str:
        return f"{self.details['where']}: {self.details['reason']}"


class Form:
    """One JSON object; `close()` refuses the keys that nobody asked for."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, Mapping):
            raise InvalidTariff(where, "must be an object")
        self._values: Mapping[str, object] = value
        self.where = where
        self._asked: set[str] = set()

    def at(self, key: str) -> str:
        return f"{self.where}.{key}"

    def has(self, key: str) -> bool:
        self._asked.add(key)
        return key in self._values

    def take(self, key: str, read: Read[T]) -> T:
        """The value of a key that must be there."""
        if not self.has(key):
            raise InvalidTariff(self.at(key), "is missing")
        return read(self._values[key], self.at(key))

    def take_or(self, key: str, read: Read[T], otherwise: T) -> T:
        """The value of a key that may be left out."""
        return self.take(key, read) if self.has(key) else otherwise

    def close(self) -> None:
        unknown = sorted(str(key) for key in self._values if key not in self._asked)
        if unknown:
            raise InvalidTariff(self.at(unknown[0]), "is not a known key")


def whole(least: int = 0) -> Read[int]:
    """A whole number, not below `least`; JSON's true and 1.0 are not numbers here."""

    def read(value: object, where: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise InvalidTariff(where, f"must be a whole number >= {least}")
        return value

    return read


def minutes(least: int = 1) -> Read[int]:
    """Whole minutes, read into seconds."""
    read_minutes = whole(least)
    return lambda value, where: read_minutes(value, where) * 60


def word(value: object, where: str) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise InvalidTariff(where, "must be a text that is not empty")
    return value


def yes_or_no(value: object, where: str) -> bool:
    """A JSON truth value."""
    if not isinstance(value, bool):
        raise InvalidTariff(where, "must be true or false")
    return value


def one_of(*choices: str) -> Read[str]:
    """One of a few words."""

    def read(value: object, where: str) -> str:
        if value not in choices or not isinstance(value, str):
            raise InvalidTariff(where, f"must be one of {', '.join(choices)}")
        return value

    return read


def clock(value: object, where: str) -> int:
    """A wall-clock time `HH:MM`, `24:00` included, as seconds since midnight."""
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise InvalidTariff(where, "must be a clock time from 00:00 to 24:00")
    return int(value[:2]) * 3600 + int(value[3:]) * 60


def instant(value: object, where: str) -> datetime:
    """An ISO 8601 moment with its offset from UTC."""
    try:
        moment = datetime.fromisoformat(word(value, where))
    except ValueError:
        raise InvalidTariff(where, "must be an ISO 8601 moment") from None
    if moment.utcoffset() is None:
        raise InvalidTariff(where, "must tell its offset from UTC")
    return moment


def or_null(read: Read[T]) -> Read[T | None]:
    """What `read` reads, or JSON's null."""
    return lambda value, where: None if value is None else read(value, where)


def list_of(read: Read[T]) -> Read[tuple[T, ...]]:
    """A list with at least one element."""

    def read_list(value: object, where: str) -> tuple[T, ...]:
        if not isinstance(value, list | tuple) or not value:
            raise InvalidTariff(where, "must be a list that is not empty")
        return tuple(read(each, f"{where}[{place}]") for place, each in enumerate(value))

    return read_list


def map_of(read: Read[T]) -> Read[dict[str, T]]:
    """An object whose keys are free names."""

    def read_map(value: object, where: str) -> dict[str, T]:
        if not isinstance(value, Mapping):
            raise InvalidTariff(where, "must be an object")
        return {word(name, where): read(each, f"{where}.{name}") for name, each in value.items()}

    return read_map
