"""From a unit's office hours and a lot's opening plan to the hours in which the unit itself needs its bays."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any, Final

from app.domain.lots.rules.windows import Hours, OfficeHours, Readings
from app.kernel.refusals import Invalid

LONGEST_MARGIN: Final = 12 * 60
WEEK: Final = 7
MOST_EXCEPTIONS: Final = 400


class DutyDayWrong(Invalid):
    """A duty day names a weekday (0 = Monday) once, with clock times that differ."""

    code = "duty_day_wrong"
    message = "值班日须写明星期（0 为星期一）及不同的起止时间，且每个星期只写一次"


class ExceptionWrong(Invalid):
    """An exception names a date once, with both clock times or none."""

    code = "exception_wrong"
    message = "例外日期须写明日期，起止时间须同时填写或同时留空，且同一日期只写一次"


class MarginWrong(Invalid):
    """A margin lies between no minute and twelve hours."""

    code = "margin_wrong"
    message = "提前或推后的分钟数须在 0 到 720 之间"


@dataclass(frozen=True)
class PlanHours:
    """What a plan says about hours, beside the unit's office hours; as it lies in the plan's row.

    `duty_days` are [{weekday, begins, ends}], `exceptions` [{date, begins, ends}], clock times as `HH:MM`; an
    exception without times is a date on which nobody works.
    """

    closes_before_minutes: int
    opens_after_minutes: int
    duty_days: list[dict[str, Any]]
    exceptions: list[dict[str, Any]]


def normal_duty_days(told: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Duty days as they are kept: by weekday, clock times as `HH:MM`. Refuses `DutyDayWrong`."""
    found: dict[int, dict[str, Any]] = {}
    for each in told:
        weekday = each.get("weekday")
        if not isinstance(weekday, int) or isinstance(weekday, bool) or not 0 <= weekday < WEEK or weekday in found:
            raise DutyDayWrong(weekday=weekday)
        begins, ends = _clock(each.get("begins"), DutyDayWrong), _clock(each.get("ends"), DutyDayWrong)
        if begins == ends:
            raise DutyDayWrong(weekday=weekday)
        found[weekday] = {"weekday": weekday, "begins": f"{begins:%H:%M}", "ends": f"{ends:%H:%M}"}
    return [found[weekday] for weekday in sorted(found)]


def normal_exceptions(told: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Exceptions as they are kept, in the order of dates. Refuses `ExceptionWrong`."""
    found: dict[date, dict[str, Any]] = {}
    for each in told:
        day = _date(each.get("date"))
        if day in found or len(found) >= MOST_EXCEPTIONS:
            raise ExceptionWrong(date=str(day))
        found[day] = {"date": str(day), **_times(each)}
    return [found[day] for day in sorted(found)]


def _times(each: Mapping[str, Any]) -> dict[str, str]:
    if not each.get("begins") and not each.get("ends"):
        return {}
    begins, ends = _clock(each.get("begins"), ExceptionWrong), _clock(each.get("ends"), ExceptionWrong)
    if begins == ends:
        raise ExceptionWrong(date=each.get("date"))
    return {"begins": f"{begins:%H:%M}", "ends": f"{ends:%H:%M}"}


def _clock(word: object, refusal: type[Invalid]) -> time:
    try:
        return time.fromisoformat(str(word)).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise refusal(time=str(word)) from None


def _date(word: object) -> date:
    try:
        return date.fromisoformat(str(word))
    except ValueError:
        raise ExceptionWrong(date=str(word)) from None


def checked_margin(minutes: int) -> int:
    """A margin as it is kept, in minutes. Refuses `MarginWrong`."""
    if not 0 <= minutes <= LONGEST_MARGIN:
        raise MarginWrong(minutes=minutes)
    return minutes


def readings_of(numbers: Mapping[str, int]) -> Readings:
    """How the city reads what N2.2.1 leaves open, from its policy numbers."""
    return Readings(
        closes_before=timedelta(minutes=numbers["closes_before_minutes"]),
        opens_after=timedelta(minutes=numbers["opens_after_minutes"]),
        morning_after_a_day_off_is_open=bool(numbers["morning_after_a_day_off_is_open"]),
        evening_before_a_day_off_is_open=bool(numbers["evening_before_a_day_off_is_open"]),
    )


def office_hours(begins: time, ends: time, plan: PlanHours | None, city: Readings) -> OfficeHours:
    """The hours in which the unit needs its bays: its office hours, with what the lot's plan adds or takes away."""
    if plan is None:
        return OfficeHours(Hours(begins, ends), readings=city)
    return OfficeHours(
        usual=Hours(begins, ends),
        on_days_off={each["weekday"]: _hours(each) for each in plan.duty_days},
        exceptions={date.fromisoformat(each["date"]): _hours_or_none(each) for each in plan.exceptions},
        readings=Readings(
            closes_before=timedelta(minutes=plan.closes_before_minutes),
            opens_after=timedelta(minutes=plan.opens_after_minutes),
            morning_after_a_day_off_is_open=city.morning_after_a_day_off_is_open,
            evening_before_a_day_off_is_open=city.evening_before_a_day_off_is_open,
        ),
    )


def _hours(each: Mapping[str, Any]) -> Hours:
    return Hours(time.fromisoformat(each["begins"]), time.fromisoformat(each["ends"]))


def _hours_or_none(each: Mapping[str, Any]) -> Hours | None:
    return _hours(each) if "begins" in each else None


def is_shorter(plan: PlanHours, city: Readings) -> bool:
    """Whether a plan keeps the bays longer than the notice does (N2.2.1): that needs a reason and an approval.

    Wider margins, duty days, and dates on which the unit works by a rule of its own count as shorter.
    """
    return (
        timedelta(minutes=plan.closes_before_minutes) > city.closes_before
        or timedelta(minutes=plan.opens_after_minutes) > city.opens_after
        or bool(plan.duty_days)
        or any("begins" in each for each in plan.exceptions)
    )


def is_nowhere_shorter(plan: PlanHours, former: PlanHours) -> bool:
    """Whether a plan keeps the bays at no moment at which the former one did not; told by its terms alone.

    A date with hours of its own may have been worked for less than usual: it stays as it was, or becomes free.
    """
    free = {each["date"] for each in plan.exceptions if "begins" not in each}
    return (
        plan.closes_before_minutes <= former.closes_before_minutes
        and plan.opens_after_minutes <= former.opens_after_minutes
        and all(each in former.duty_days for each in plan.duty_days)
        and all(each in former.exceptions for each in plan.exceptions if "begins" in each)
        and all(each in plan.exceptions or each["date"] in free for each in former.exceptions)
    )
