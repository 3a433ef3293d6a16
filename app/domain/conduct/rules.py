"""What follows from incidents where the city has set nothing else, and how it is told. No rule knows of money."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.domain.messages.rules import Push
from app.kernel.clock import shanghai
from app.kernel.refusals import Conflict, Invalid, NotAllowed, NotFound

KINDS: Final[Mapping[str, str]] = {
    "no_show": "预约后未到场",
    "late_cancellation": "临近开始取消预约",
    "overstay": "超时停放",
    "dispute": "停车纠纷",
}
MEASURES: Final[Mapping[str, str]] = {"warning": "提醒", "cooling_off": "暂缓预约", "suspension": "暂停预约"}
OUTCOMES: Final[Mapping[str, str]] = {"lifted": "撤销", "upheld": "维持"}
STOP_RESERVATIONS: Final = ("cooling_off", "suspension")
"""A motorist under one of these reserves nothing new; driving in without a reservation and leaving go on (N2.2.3)."""

APPEAL_WITHIN: Final = timedelta(days=15)
MOST_TIMES, MOST_DAYS = 100, 365


@dataclass(frozen=True)
class Terms:
    """`count` incidents of a kind within `within_days` lead to a measure of `days`. Without `rule_id`: a default."""

    count: int
    within_days: int
    days: int
    rule_id: int | None = None

    def reason(self, kind: str) -> str:
        """Why a measure follows, in Chinese."""
        return f"{self.within_days}天内{KINDS[kind]}{self.count}次"


CITY_DEFAULTS: Final[Mapping[tuple[str, str], Terms]] = {
    ("no_show", "warning"): Terms(1, 30, 30),
    ("no_show", "cooling_off"): Terms(3, 30, 3),
    ("no_show", "suspension"): Terms(5, 90, 30),
    ("late_cancellation", "warning"): Terms(3, 30, 30),
    ("late_cancellation", "cooling_off"): Terms(6, 30, 3),
    ("overstay", "warning"): Terms(1, 30, 30),
    ("overstay", "cooling_off"): Terms(3, 30, 7),
    ("overstay", "suspension"): Terms(5, 90, 30),
    ("dispute", "warning"): Terms(1, 30, 30),
    ("dispute", "suspension"): Terms(3, 180, 30),
}
"""By kind of incident and measure; what is not here leads to nothing until the city says so."""


class ReservationsSuspended(NotAllowed):
    """A measure keeps this motorist from reserving for a while; the details say why, until when, and how to appeal."""

    code = "reservations_suspended"
    message = "您暂时不能预约，仍可直接驶入有空余泊位的停车场；如有异议可以申诉"


class RuleOutOfRange(Invalid):
    """A rule counts 1 to 100 incidents within 1 to 365 days and leads to a measure of 1 to 365 days."""

    code = "conduct_rule_out_of_range"
    message = "次数须为1至100，天数须为1至365"


class RuleInThePast(Invalid):
    """What held yesterday is not changed today."""

    code = "change_in_the_past"
    message = "生效时间不能早于现在"


class MeasureNotFound(NotFound):
    """There is no such measure, or it is somebody else's."""

    code = "measure_not_found"
    message = "未找到该信用措施"


class AppealTooLate(Conflict):
    """The measure began more than 15 days ago."""

    code = "appeal_too_late"
    message = "申诉须在措施开始后15日内提出"


class AlreadyAppealed(Conflict):
    """An appeal against this measure was made before."""

    code = "already_appealed"
    message = "该措施已提出过申诉"


class AppealNotFound(NotFound):
    """There is no such appeal."""

    code = "appeal_not_found"
    message = "未找到该申诉"


class AppealDecided(Conflict):
    """A decision on an appeal is final."""

    code = "appeal_decided"
    message = "该申诉已作出决定"


class OwnIncident(NotAllowed):
    """Who wrote an incident does not decide on the appeal against what follows from it."""

    code = "own_incident"
    message = "申诉须由事件记录人以外的人员决定"


class WordsMissing(Invalid):
    """Whoever appeals, decides or records a dispute says why."""

    code = "words_missing"
    message = "请填写理由"


def said(words: str) -> str:
    """What somebody said, without the blanks around it. Refuses `WordsMissing`."""
    if not words.strip():
        raise WordsMissing
    return words.strip()


def words_place(key: uuid.UUID) -> str:
    """Where an appeal's words lie sealed."""
    return f"appeal.words:{key}"


def title_of(measure: str) -> str:
    """The headline of the notice of a measure."""
    return f"停车信用{MEASURES[measure]}"


def notice_of(measure: str, reason: str, began_at: datetime, ends_at: datetime) -> str:
    """What a motorist reads when a measure begins."""
    effect = "在此期间不能新增预约或候补，已有预约不受影响，仍可直接驶入。" if measure in STOP_RESERVATIONS else ""
    until, appeal_until = (f"{shanghai(each):%Y年%m月%d日%H:%M}" for each in (ends_at, began_at + APPEAL_WITHIN))
    return f"{reason}，现予以{MEASURES[measure]}，至{until}止。{effect}如有异议，可在{appeal_until}前申诉。"


def push_of(measure: str, ends_at: datetime) -> Push:
    """What WeChat shows of it."""
    told = {"matter": title_of(measure), "time": f"{shanghai(ends_at):%Y年%m月%d日 %H:%M}", "note": "可在15日内申诉"}
    return Push("conduct", told, ends_at)


def decision_notice(measure: str, outcome: str, reason: str) -> str:
    """What a motorist reads when an appeal is decided."""
    return f"您对{title_of(measure)}的申诉已有决定：{OUTCOMES[outcome]}。{reason}"
