"""What an adjustment must say, which spans it shuts, and the words in which motorists are told."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy.dialects.postgresql import Range

from app.kernel.clock import SHANGHAI, shanghai
from app.kernel.refusals import Conflict, Invalid
from app.kernel.spans import bounds, span

REASONS: Final = {
    "major_event": "重大活动",
    "emergency": "突发情况",
    "construction": "施工维修",
    "unit_duty": "单位值守或公务",
    "safety": "安全管理",
    "other": "其他",
}
"""The reasons for which a unit may adjust (N5.6); `calendar` and `suspension` are the platform's own."""

SUSPENDED: Final = "该停车场暂停对外开放，恢复时间另行公告。"
"""What the public reads of a suspended lot; why it was suspended may be nobody's business (N2.1)."""

ONE_DAY: Final = timedelta(days=1)


class ReasonUnknown(Invalid):
    """The reason is none of the closed list."""

    code = "reason_unknown"
    message = "请选择调整原因类别"


class ReasonMissing(Invalid):
    """An adjustment says why, and in which words the public is told."""

    code = "reason_missing"
    message = "请填写调整原因和公告内容"


class EndMissing(Invalid):
    """Only an emergency may last until further notice, and then it says when somebody looks at it again."""

    code = "adjustment_end_missing"
    message = "请填写结束时间；突发情况未定结束时间的，须填写复核时间"


class SpanOver(Invalid):
    """The span is empty or over already."""

    code = "adjustment_span_over"
    message = "调整时段为空或已结束"


class LotsMissing(Invalid):
    """An adjustment names at least one lot."""

    code = "adjustment_without_lots"
    message = "请选择要调整的停车场"


class TooFewBays(Conflict):
    """The lot has not so many bays that could be taken away, or not these."""

    code = "too_few_bays"
    message = "可减少的共享泊位不足，或泊位号有误"


class RequestKeyReused(Invalid):
    """The key of the request was used before for another adjustment."""

    code = "idempotency_key_reused"
    message = "幂等键已用于另一请求"


@dataclass(frozen=True)
class Why:
    """Why something is adjusted, and the announcement (公告) that the public reads at once."""

    reason_class: str
    reason: str
    announcement: str

    def checked(self) -> "Why":
        """Itself. Refuses `ReasonUnknown`, `ReasonMissing`."""
        if self.reason_class not in REASONS:
            raise ReasonUnknown(known=sorted(REASONS))
        if not self.reason.strip() or not self.announcement.strip():
            raise ReasonMissing
        return self


@dataclass(frozen=True)
class Where:
    """Which lots: some by their keys, all of a district, or all of the city."""

    scope: str
    lot_keys: tuple[uuid.UUID, ...] = ()
    district_code: str | None = None

    @classmethod
    def lots(cls, *keys: uuid.UUID) -> "Where":
        return cls("lots", lot_keys=keys)

    @classmethod
    def district(cls, code: str) -> "Where":
        return cls("district", district_code=code)

    @classmethod
    def city(cls) -> "Where":
        return cls("city")


@dataclass(frozen=True)
class CloseLot:
    """The whole lot is shut."""


@dataclass(frozen=True)
class TheseBays:
    """Bays by their numbers in one lot are not for the public."""

    numbers: tuple[str, ...]


@dataclass(frozen=True)
class FewerBays:
    """Each lot has so many bays fewer for the public; those are chosen that keep most promises where they are."""

    by: int


@dataclass(frozen=True)
class OtherHours:
    """On each day the lot is open only between two clock times; an end that is earlier lies on the next day."""

    begins: time
    ends: time


What = CloseLot | TheseBays | FewerBays | OtherHours
KINDS: Final[dict[type[object], str]] = {CloseLot: "close", TheseBays: "bays", FewerBays: "bays", OtherHours: "hours"}


def checked_span(during: Range[datetime], now: datetime) -> Range[datetime]:
    """The part of a finite span that is still to come. Refuses `EndMissing`, `SpanOver`."""
    if during.lower is None or during.upper is None:
        raise EndMissing
    if during.upper <= max(now, during.lower):
        raise SpanOver
    return span(max(during.lower, now), during.upper)


def shut_spans(during: Range[datetime], open_from: time, open_until: time) -> list[Range[datetime]]:
    """What of a span is shut when each day is open only between two clock times; in order, none touch."""
    begins_at, ends_at = bounds(during)
    shut, since = [], begins_at
    for opens_at, closes_at in _daily(begins_at, ends_at, open_from, open_until):
        if since < min(opens_at, ends_at):
            shut.append(span(since, min(opens_at, ends_at)))
        since = max(since, closes_at)
    if since < ends_at:
        shut.append(span(since, ends_at))
    return shut


def _daily(begins_at: datetime, ends_at: datetime, first: time, last: time) -> Sequence[tuple[datetime, datetime]]:
    day, found = shanghai(begins_at).date() - ONE_DAY, []
    while day <= shanghai(ends_at).date():
        found.append((_at(day, first), _at(day + ONE_DAY if last <= first else day, last)))
        day += ONE_DAY
    return found


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, SHANGHAI)


def span_text(begins_at: datetime, ends_at: datetime | None) -> str:
    """`06月10日 20:00 至 06月11日 08:00` on the clocks of Hangzhou."""
    until = f"{shanghai(ends_at):%m月%d日 %H:%M}" if ends_at is not None else "另行通知"
    return f"{shanghai(begins_at):%m月%d日 %H:%M} 至 {until}"


def displaced_text(lot_name: str, during: Range[datetime], announcement: str) -> str:
    """What a motorist reads whose reservation was taken back."""
    return (
        f"您在{lot_name} {span_text(*bounds(during))} 的预约因停车场调整无法保留，已为您取消，不计违约、不产生费用。"
        f"{announcement}"
    )


def moved_text(lot_name: str, during: Range[datetime], zone: str, number: str) -> str:
    """What a motorist reads whose reservation has another bay."""
    return f"您在{lot_name} {span_text(*bounds(during))} 的预约泊位调整为 {zone} 区 {number} 号，其余不变。"


WORTH_SHOWING: Final = timedelta(hours=1)
"""How long after its begin WeChat may still show that a lot is closed to whoever stands inside."""


def inside_text(lot_name: str, announcement: str) -> str:
    """What a motorist reads whose car stands in a lot that is being closed."""
    return f"您的车辆停放在{lot_name}，该停车场临时调整，您仍可随时驶出，请留意公告：{announcement}"


Limits = tuple[int | None, int | None]
"""How high and how long a vehicle may be, in centimetres; None is no limit."""


def is_tighter(limits: Limits, than: Limits) -> bool:
    """Whether a vehicle that fits the one may be too high or too long for the other."""
    pairs = zip(limits, than, strict=True)
    return any(own is not None and (other is None or own < other) for own, other in pairs)


def limits_text(limits: Limits) -> str:
    """`，限高 1.9 米、限长 4.8 米`, or nothing."""
    told = [f"{word} {cm / 100:g} 米" for word, cm in zip(("限高", "限长"), limits, strict=True) if cm is not None]
    return f"，{'、'.join(told)}" if told else ""


def offer_text(lot_name: str, address: str, during: Range[datetime], until: datetime, limits: Limits) -> str:
    """What a motorist reads for whom a bay near by is kept."""
    return (
        f"已在附近的{lot_name}（{address}{limits_text(limits)}）为您保留泊位，时段 {span_text(*bounds(during))}，"
        "费用不高于原预约。"
        f"请在 {shanghai(until):%H:%M} 前确认，逾期自动释放。"
    )


def reopened_text(lot_name: str) -> str:
    """What a motorist reads who lost a reservation in a lot that is open again."""
    return f"{lot_name}已恢复开放，如仍需停车可重新预约。"
