"""Reading a JSON form so that whatever is wrong is named by its place."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar, cast

from app.kernel.refusals import Invalid

T = TypeVar("T")
Read = Callable[[object, str], T]

DAY_SECONDS: Final = 86_400
HOUR_SECONDS: Final = 3_600
LARGEST: Final = 1_000_000_000
"""No number of a form is above this: ten million yuan, nineteen centuries of minutes."""
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?P<offset>[Zz]|[+-]\d{2}:?\d{2})?", re.ASCII
)
FIRST_YEAR, LAST_YEAR = 1992, 9998


class InvalidTariff(Invalid):
    """The parameters of a tariff do not follow the form of docs/tariffs.md; details: `where` and `reason`."""

    code = "invalid_tariff"
    message = "收费标准的参数有误"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(where=where, reason=reason)
        self.beside: tuple[InvalidTariff, ...] = ()
        """What else is wrong: whoever wants to know of one fault need not look."""

    def __str__(self) -> str:
        return f"{self.details['where']}: {self.details['reason']}"

    @property
    def faults(self) -> "tuple[InvalidTariff, ...]":
        """This one, and those beside it."""
        return (self, *self.beside)


def refuse_all(faults: Sequence[InvalidTariff]) -> None:
    """Raise the first with all others beside it; nothing when there is none."""
    if faults:
        first, *others = faults
        first.beside = tuple(others)
        raise first


class Senseless(InvalidTariff):
    """The form is kept, but what it says cannot be: a schema does not find it."""

    code = "senseless_tariff"
    message = "收费标准自相矛盾"


class NegativeRate(InvalidTariff):
    """A price or a factor is below nothing."""

    code = "negative_rate"
    message = "价格或倍数不得为负"


class InvalidTime(InvalidTariff):
    """A moment that is none, or that is further off than the calendar of these prices reaches."""

    code = "invalid_time"
    message = "时间格式有误"


class NaiveTime(InvalidTime):
    """A moment that does not tell its offset from UTC."""

    code = "naive_time"
    message = "时间须注明时区偏移"


class Form:
    """One JSON object; `close()` refuses the keys that nobody asked for. A key that is null is as if it were absent."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, Mapping):
            raise InvalidTariff(where, "须为对象")
        self.values: Mapping[str, object] = value
        self.where = where
        self._asked: set[str] = set()
        self._faults: list[InvalidTariff] = []

    def at(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key

    def has(self, key: str) -> bool:
        """Whether the key holds anything but null."""
        self._asked.add(key)
        return self.values.get(key) is not None

    def take(self, key: str, read: Read[T]) -> T:
        """The value of a key that must be there, though null may be what it says."""
        self._asked.add(key)
        if key not in self.values:
            raise InvalidTariff(self.at(key), "缺少此项")
        return read(self.values[key], self.at(key))

    def take_or(self, key: str, read: Read[T], otherwise: T) -> T:
        """The value of a key that may be left out."""
        return self.take(key, read) if self.has(key) else otherwise

    def gather(self, key: str, read: Read[T]) -> T:
        """As `take`, but what is wrong is refused by `close`, together with all else that is; until then it is null."""
        try:
            return self.take(key, read)
        except InvalidTariff as refusal:
            self._faults += refusal.faults
            return cast("T", None)

    def gather_or(self, key: str, read: Read[T], otherwise: T) -> T:
        """As `take_or`, in the manner of `gather`."""
        return self.gather(key, read) if self.has(key) else otherwise

    def take_one(self, readers: Mapping[str, Read[T]]) -> tuple[str, T]:
        """The one key that is there of several that stand in each other's place, with its value."""
        told = [key for key in readers if self.has(key)]
        if not told:
            raise InvalidTariff(self.at(next(iter(readers))), "缺少此项")
        if len(told) > 1:
            raise InvalidTariff(self.at(told[1]), f"不得与{told[0]}并用")
        return told[0], self.take(told[0], readers[told[0]])

    def refuse(self, key: str, reason: str) -> None:
        """Let a key of this form not stand beside what else is told."""
        if self.has(key):
            raise InvalidTariff(self.at(key), reason)

    def refuse_others(self, keys: Iterable[str], reason: str) -> None:
        """Let those of the keys that nobody asked for say nothing but null."""
        for key in keys:
            if key not in self._asked:
                self.refuse(key, reason)

    def close(self) -> None:
        """Refuse what was gathered, and what nobody asked for."""
        unknown = sorted(str(key) for key in self.values if key not in self._asked)
        refuse_all([*self._faults, *(InvalidTariff(self.at(key), "不是已知的项") for key in unknown)])


def whole(least: int = 0, most: int = LARGEST) -> Read[int]:
    """A whole number between two bounds; as in JSON Schema 500.0 is one, and true is none."""

    def read(value: object, where: str) -> int:
        number = _whole(value)
        if number is None or not least <= number <= most:
            raise InvalidTariff(where, f"须为{least}至{most}之间的整数")
        return number

    return read


def _whole(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def fen(value: object, where: str) -> int:
    """A price in whole fen, not below nothing: NegativeRate."""
    if isinstance(value, int | float) and value < 0:
        raise NegativeRate(where, "不得为负")
    return whole()(value, where)


permille = fen
"""A factor in permille; read as a price is."""


def minutes(least: int = 1) -> Read[int]:
    """Whole minutes, read into seconds."""
    read_minutes = whole(least)
    return lambda value, where: read_minutes(value, where) * 60


def unit(form: Form) -> int:
    """The length of a charging unit in seconds, told as `unit_min` or `unit_s`."""
    _, seconds = form.take_one({"unit_min": minutes(), "unit_s": whole(1)})
    return seconds


def word(value: object, where: str) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise InvalidTariff(where, "须为非空文本")
    return value


def yes_or_no(value: object, where: str) -> bool:
    """A JSON truth value."""
    if not isinstance(value, bool):
        raise InvalidTariff(where, "须为true或false")
    return value


def one_of(*choices: str) -> Read[str]:
    """One of a few words."""

    def read(value: object, where: str) -> str:
        if not isinstance(value, str) or value not in choices:
            raise InvalidTariff(where, f"须为{'、'.join(choices)}之一")
        return value

    return read


def clock(value: object, where: str) -> int:
    """A wall-clock time `HH:MM`, `24:00` included, as seconds since midnight."""
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise InvalidTariff(where, "须为00:00至24:00之间的时刻")
    return int(value[:2]) * 3600 + int(value[3:]) * 60


def instant(value: object, where: str) -> datetime:
    """An ISO 8601 moment with its offset from UTC. Raises InvalidTime and NaiveTime."""
    told = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if told is None:
        raise InvalidTime(where, "须为2026-06-01T09:00:00+08:00形式的时间")
    if told["offset"] is None:
        raise NaiveTime(where, "须注明时区偏移，如+08:00")
    return _existing(told.string, where)


def _existing(text: str, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        raise InvalidTime(where, "没有这样的日期或时刻") from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise InvalidTime(where, f"年份须在{FIRST_YEAR}至{LAST_YEAR}之间")
    return moment


def or_null(read: Read[T]) -> Read[T | None]:
    """What `read` reads, or JSON's null."""
    return lambda value, where: None if value is None else read(value, where)


def list_of(read: Read[T]) -> Read[tuple[T, ...]]:
    """A list with at least one element."""

    def read_list(value: object, where: str) -> tuple[T, ...]:
        if not isinstance(value, list | tuple) or not value:
            raise InvalidTariff(where, "须为非空列表")
        return tuple(_each(read, [(f"{where}[{place}]", each) for place, each in enumerate(value)]))

    return read_list


def _each(read: Read[T], told: Iterable[tuple[str, object]]) -> list[T]:
    """All of them, or everything that is wrong with any."""
    values, faults = [], list[InvalidTariff]()
    for where, value in told:
        try:
            values.append(read(value, where))
        except InvalidTariff as refusal:
            faults += refusal.faults
    refuse_all(faults)
    return values


def map_of(read: Read[T]) -> Read[dict[str, T]]:
    """An object whose keys are free names."""

    def read_map(value: object, where: str) -> dict[str, T]:
        if not isinstance(value, Mapping):
            raise InvalidTariff(where, "须为对象")
        names = [word(name, where) for name in value]
        values = _each(read, [(f"{where}.{name}", each) for name, each in value.items()])
        return dict(zip(names, values, strict=True))

    return read_map
