"""A stay to be priced, as one line of JSON tells it: docs/tariffs.md, on the command line."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from app.domain.calendars.rules import provisional_day
from app.domain.calendars.seeds import official_day
from app.domain.pricing.rules import (
    Calendar,
    DayClassesMissing,
    DayClassMissing,
    InvalidTariff,
    OccupancyQuote,
    Quote,
    Tariff,
    asks_for_official_days,
    quote,
    quote_occupancy,
)
from app.domain.pricing.rules.form import Form, Read, T, instant, list_of, map_of, word
from app.kernel.refusals import Invalid

COMMENTS: Final = ("id", "name", "note", "comment", "basis", "tags", "expected_fen", "expected_payable_fen")
"""Keys that change no price; examples carry them."""

DayClasses = Mapping[date, str | Collection[str]]


class InvalidLine(Invalid):
    """The line does not follow its form; details: `where` and `reason`."""

    code = "invalid_line"
    message = "输入有误"


class FractionOfASecond(Invalid):
    """Prices are in whole seconds, and nothing is rounded silently; details: `where`."""

    code = "fraction_of_a_second"
    message = "时间须为整秒"


@dataclass(frozen=True)
class Stay:
    """One line, read."""

    tariff: Tariff
    entry: datetime
    exit: datetime
    vehicle_class: str | None
    day_classes: DayClasses | None
    prior_stays: tuple[tuple[datetime, datetime], ...]
    booked_end: datetime | None
    waiver: str | None
    payment_channel: str | None
    charging: tuple[datetime, datetime] | None

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> "Stay":
        """Raises InvalidLine for the line's own form, InvalidTariff for the tariff's, InvalidTime and NaiveTime."""
        try:
            return cls._read(Form(value, ""))
        except InvalidTariff as wrong:
            if type(wrong) is InvalidTariff and not str(wrong.details["where"]).startswith("tariff"):
                raise InvalidLine(**wrong.details) from None
            raise

    @classmethod
    def _read(cls, form: Form) -> "Stay":
        tariff = _needed(form, "tariff", Tariff.load)
        stay = cls(
            tariff,
            _needed(form, "entry", _second),
            _needed(form, "exit", _second),
            form.take_or("vehicle_class", word, None),
            form.take_or("day_classes", _read_day_classes, None),
            form.take_or("prior_stays", _prior_stays(has_exits=tariff.plate_cap is not None), ()),
            form.take_or("booked_end", _second, None),
            form.take_or("waiver", word, None),
            form.take_or("payment_channel", word, None),
            _read_charging(form),
        )
        for comment in COMMENTS:
            form.has(comment)
        form.close()
        return stay

    def quote(self) -> Quote:
        """What the stay costs; refuses what `quote` of the rules refuses, and what the calendar does not tell."""
        return quote(
            self.tariff, self.entry, self.exit, self.vehicle_class, self.prior_stays, self._calendar(),
            booked_end=self.booked_end, waiver=self.waiver, payment_channel=self.payment_channel,
        )  # fmt: skip

    def occupancy(self) -> OccupancyQuote | None:
        """What holding the charger costs, if the line tells of charging."""
        return None if self.charging is None else quote_occupancy(self.tariff, *self.charging)

    def _calendar(self) -> Calendar:
        """Dates that the line lists, then the tariff's own rule on the official calendar; else a class is missing."""
        listed, rule = self.day_classes, self.tariff.day_class_rule
        asks_officials = asks_for_official_days(rule)
        by_rule = self.tariff.calendar(official_day if asks_officials else provisional_day)

        def classes(of: date) -> str | Collection[str]:
            if listed is not None and of in listed:
                return listed[of]
            if asks_officials is not None:
                return by_rule(of)
            raise DayClassesMissing(date=str(of)) if listed is None else DayClassMissing(date=str(of))

        return classes


def _needed(form: Form, key: str, read: Read[T]) -> T:
    if not form.has(key):
        raise InvalidLine(where=key, reason="缺少此项")
    return form.take(key, read)


def _second(value: object, where: str) -> datetime:
    moment = instant(value, where)
    if moment.microsecond:
        raise FractionOfASecond(where=where)
    return moment


def _read_day_classes(value: object, where: str) -> DayClasses:
    return {_date(name, f"{where}.{name}"): told for name, told in map_of(_read_class)(value, where).items()}


def _read_class(value: object, where: str) -> str | Collection[str]:
    return word(value, where) if isinstance(value, str) else list_of(word)(value, where)


def _date(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidTariff(where, "须为2026-06-01形式的日期") from None


def _prior_stays(*, has_exits: bool) -> Read[tuple[tuple[datetime, datetime], ...]]:
    """Only a cap over several stays asks what the earlier ones cost, and so when they ended."""

    def read(value: object, where: str) -> tuple[datetime, datetime]:
        form = Form(value, where)
        entry = form.take("entry", _second)
        exit_ = form.take("exit", _second) if has_exits else form.take_or("exit", _second, entry)
        form.close()
        return entry, exit_

    return lambda value, where: () if value == [] else list_of(read)(value, where)


def _read_charging(form: Form) -> tuple[datetime, datetime] | None:
    if not form.has("charging_ended") and not form.has("moved_away"):
        return None
    return form.take("charging_ended", _second), form.take("moved_away", _second)
