"""Which reports of visits may be believed, and which tell something new."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal

from app.domain.partners.rules.records import TimeRunsBackwards, canonical, refuse_future
from app.kernel.refusals import Conflict, Invalid

ReportKind = Literal["report", "correction", "void"]


class ExitBeforeEntry(Invalid):
    """The car would have left before it came."""

    code = "exit_before_entry"
    message = "出场时间早于进场时间"


class VisitUnknown(Conflict):
    """A visit that was never reported cannot be corrected or voided."""

    code = "visit_unknown"
    message = "该进出场记录尚未上报，不能更正或作废"


class VisitDiffers(Conflict):
    """The visit is known otherwise; what was wrong is put right by a correction with its reason."""

    code = "visit_differs"
    message = "与已上报的进出场记录不一致，如需修改请提交更正"


class VisitVoided(Conflict):
    """The visit was voided; nothing more can be told of it."""

    code = "visit_voided"
    message = "该进出场记录已作废"


@dataclass(frozen=True)
class Visit:
    """What is told of a visit: `plate_id` None for an unplated car, `left_at` None while it stands there."""

    kind: ReportKind
    plate_id: int | None
    entered_at: datetime
    left_at: datetime | None
    entry_lane: str | None
    exit_lane: str | None
    reason: str | None
    told_at: datetime

    def coming(self) -> tuple[object, ...]:
        return (self.plate_id, self.entered_at, self.entry_lane)

    def going(self) -> tuple[object, ...]:
        return (self.left_at, self.exit_lane)


_STILL_THERE = (None, None)


def visit_is_new(told: Visit, last: Visit | None, now: datetime) -> bool:
    """True: it becomes the visit's latest report. False: it tells nothing that is not known.

    A report may add the exit to an entry and change nothing else; corrections and voids come in the order in which the
    partner wrote them. Refuses `TimeInFuture`, `ExitBeforeEntry`, `VisitUnknown`, `VisitVoided`, `VisitDiffers` and
    `TimeRunsBackwards`.
    """
    refuse_future(now, told.entered_at, told.told_at, *([told.left_at] if told.left_at else []))
    if told.left_at is not None and told.left_at < told.entered_at:
        raise ExitBeforeEntry
    if last is None:
        if told.kind != "report":
            raise VisitUnknown
        return True
    if last.kind == "void":
        raise VisitVoided
    return _adds_the_exit(told, last) if told.kind == "report" else _comes_after(told, last)


def _adds_the_exit(told: Visit, last: Visit) -> bool:
    if told.coming() != last.coming():
        raise VisitDiffers
    if told.going() in (_STILL_THERE, last.going()):
        return False
    if last.going() != _STILL_THERE:
        raise VisitDiffers
    return True


def _comes_after(told: Visit, last: Visit) -> bool:
    if told.told_at <= last.told_at:
        raise TimeRunsBackwards(newest=last.told_at.isoformat())
    return True


def digest_of(told: Visit) -> bytes:
    """32 bytes by which a report that was told before is found; the plate goes in as the id of its row."""
    return sha256(canonical(vars(told))).digest()
