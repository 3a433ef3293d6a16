"""When a reservation makes sense, as numbers of the city's policy say."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.dialects.postgresql import Range

from app.domain.lots.rules import Curfew
from app.domain.messages.rules import Push
from app.kernel.clock import shanghai
from app.kernel.refusals import Conflict, Invalid
from app.kernel.spans import bounds, span
from app.kernel.states import BORN, Machine

SLACK = timedelta(minutes=2)
"""How far a phone's idea of "now" may lag behind ours before a span counts as past."""


class EndsBeforeItBegins(Invalid):
    """The span is empty or runs backwards."""

    code = "span_ends_before_it_begins"
    message = "结束时间必须晚于开始时间"


class InThePast(Invalid):
    """The span begins before now."""

    code = "span_in_the_past"
    message = "开始时间已过"


class TooLong(Invalid):
    """The span is longer than a reservation may be."""

    code = "span_too_long"
    message = "预约时长超过上限"


class TooFarAhead(Invalid):
    """The span begins later than may be reserved today."""

    code = "span_too_far_ahead"
    message = "暂不能预约这么远的时段"


class MovementCurfew(Invalid):
    """The stay begins or ends while no car may drive in or out of this lot."""

    code = "movement_curfew"
    message = "该停车场在此时段禁止车辆进出，请调整到达或离开时间"


class NotLonger(Invalid):
    """The new end is not after the one that is promised already."""

    code = "extension_not_longer"
    message = "新的结束时间须晚于当前预约的结束时间"


class TooManyReservations(Conflict):
    """The motorist holds as many reservations as one person may."""

    code = "too_many_reservations"
    message = "您的有效预约数已达上限"


class AlreadyWaiting(Conflict):
    """The motorist waits for a bay for that time already, here or elsewhere."""

    code = "already_waiting"
    message = "您在此时段已有候补"


class TooManyWaiting(Conflict):
    """The motorist waits for as many spans as one person may."""

    code = "too_many_waiting"
    message = "您的候补数已达上限"


class TooLateToWait(Invalid):
    """The span begins so soon that no bay is offered for it any more."""

    code = "too_late_to_wait"
    message = "距开始时间过近，已停止候补"


class LotHasRoom(Conflict):
    """There is a free bay: nobody need wait."""

    code = "lot_has_room"
    message = "该时段尚有空余泊位，可直接预约"


WAITLIST: Final = Machine(
    "waitlist",
    [
        (BORN, "join", "waiting"),
        ("waiting", "offer", "offered"),
        ("waiting", "leave", "left"),
        ("waiting", "end", "over"),
        ("offered", "withdraw", "waiting"),
        ("offered", "accept", "kept"),
        ("offered", "decline", "declined"),
        ("offered", "lapse", "lapsed"),
    ],
)


def minutes(numbers: Mapping[str, int], name: str) -> timedelta:
    """A policy number that counts minutes."""
    return timedelta(minutes=numbers[name])


def checked_span(begins_at: datetime, ends_at: datetime, now: datetime, numbers: Mapping[str, int]) -> Range[datetime]:
    """The span to reserve. Refuses `EndsBeforeItBegins`, `InThePast`, `TooLong`, `TooFarAhead`."""
    if ends_at <= begins_at:
        raise EndsBeforeItBegins
    if begins_at < now - SLACK or ends_at <= now:
        raise InThePast
    if ends_at - begins_at > minutes(numbers, "longest_reservation_minutes"):
        raise TooLong(longest_minutes=numbers["longest_reservation_minutes"])
    if begins_at - now > minutes(numbers, "reserve_ahead_minutes"):
        raise TooFarAhead(ahead_minutes=numbers["reserve_ahead_minutes"])
    return span(begins_at, ends_at)


def check_extension(
    begins_at: datetime, was_until: datetime, ends_at: datetime, now: datetime, numbers: Mapping[str, int]
) -> None:
    """Whether a reservation may last until `ends_at`. Refuses `NotLonger`, `InThePast`, `TooLong`."""
    if ends_at <= was_until:
        raise NotLonger(ends_at=was_until.isoformat())
    if ends_at <= now:
        raise InThePast
    if ends_at - begins_at > minutes(numbers, "longest_reservation_minutes"):
        raise TooLong(longest_minutes=numbers["longest_reservation_minutes"])


def check_movement(begins_at: datetime, ends_at: datetime, curfew: Curfew | None) -> None:
    """Refuse `MovementCurfew` when a stay would begin or end while no car may move; it may last through that time."""
    if curfew is not None and curfew.forbids(begins_at, ends_at):
        raise MovementCurfew(begins=f"{curfew.begins:%H:%M}", ends=f"{curfew.ends:%H:%M}")


def arrival_window(
    begins_at: datetime, ends_at: datetime, numbers: Mapping[str, int], *, is_regular: bool = False
) -> Range[datetime]:  # fmt: skip
    """When the gate lets the car in: a little early, and not so late that the bay stands empty for long.

    Whoever has a regular place comes home some time in the evening.
    """
    latest = begins_at + minutes(numbers, "regular_arrive_late_minutes" if is_regular else "arrive_late_minutes")
    return span(begins_at - minutes(numbers, "arrive_early_minutes"), min(latest, ends_at))


def is_in_time(begins_at: datetime, now: datetime, numbers: Mapping[str, int]) -> bool:
    """Whether a cancellation now is still free of any consequence."""
    return now <= begins_at - minutes(numbers, "free_cancellation_minutes")


def is_too_late_to_wait(begins_at: datetime, now: datetime, numbers: Mapping[str, int]) -> bool:
    """Whether no bay is offered any more to somebody who waits for a span from `begins_at` on."""
    return begins_at - now <= minutes(numbers, "waitlist_ends_before_minutes")


def _span_text(during: Range[datetime]) -> str:
    begins_at, ends_at = (shanghai(each) for each in bounds(during))
    return f"{begins_at:%m月%d日 %H:%M} 至 {ends_at:%m月%d日 %H:%M}"


NOTES: Final[Mapping[str, str]] = {
    "waitlist_offer": "候补泊位已保留，请及时确认",
    "bay_offered": "附近泊位已保留，请及时确认",
    "reservation_moved": "预约泊位已调整，其余不变",
    "reservation_displaced": "预约因停车场调整已取消",
    "lot_closed": "停车场临时调整，仍可驶出",
    "lot_reopened": "停车场已恢复开放",
}
"""By kind of message; each fits into 20 characters, as WeChat wants it."""


def push_of(kind: str, lot_name: str, at: datetime, until: datetime) -> Push:
    """What WeChat shows of a change of somebody's reservation; `at` is the moment that it is about."""
    told = {"lot": lot_name, "time": f"{shanghai(at):%Y年%m月%d日 %H:%M}", "note": NOTES[kind]}
    return Push("booking", told, until)


def free_bay_text(lot_name: str, during: Range[datetime], until: datetime) -> str:
    """What a motorist reads who waited, and for whom a bay is kept now."""
    return (
        f"您候补的{lot_name} {_span_text(during)} 已有空余泊位，为您保留至 {shanghai(until):%H:%M}，"
        "请及时确认，逾期自动释放。"
    )


def offer_lapsed_text(lot_name: str, during: Range[datetime]) -> str:
    """What a motorist reads who did not answer in time."""
    return f"为您保留的{lot_name} {_span_text(during)} 泊位逾期未确认，已释放，本次候补结束。如仍需停车可重新候补。"


def waited_in_vain_text(lot_name: str, during: Range[datetime]) -> str:
    """What a motorist reads for whom no bay fell free in time."""
    return f"您候补的{lot_name} {_span_text(during)} 没有空出泊位，本次候补结束，可查看附近其他停车场。"
