"""Dynamic adjustment: closing, fewer bays, other hours, free of charge, and the bases of waivers."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, time
from typing import Any, BinaryIO

import click

from app.domain.adjustments import actions, queries
from app.domain.adjustments.models import Adjustment, WaiverBasis
from app.domain.adjustments.queries import Listed
from app.domain.adjustments.rules import REASONS, CloseLot, FewerBays, OtherHours, TheseBays, What, Where, Why
from app.domain.lots.models import Lot
from app.domain.staff.queries import logins
from app.domain.staff.rules import Actor
from app.domain.units.models import Unit
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import CLOCK, MOMENT, PAPER, acting, named, noun
from app.kernel import clock
from app.kernel.files import FileNotKept, Paper, content_of
from app.kernel.spans import span

adjustments = noun(
    "Dynamic adjustment (动态调整, N5.6): what is closed or free for a while, and whom it touches.",
    "adjustments close 南院停车场 --from '2026-10-01 18:00' --until '2026-10-02 08:00' --because major_event "
    "--reason 演出 --announce 因演出临时关闭 --as wang",
    "adjustments close-now --city --review '2026-08-01 12:00' --reason 台风 --announce 因台风暂停开放 --as wang",
    "adjustments list --as wang",
)
View = Callable[..., Any]
HEADINGS = {
    "key": "编号", "kind": "类别", "scope": "范围", "reason_class": "原因", "begins_at": "开始", "ends_at": "结束",
    "lots": "停车场数", "done": "已办理", "displaced": "变更预约数", "announcement": "公告", "ended_at": "提前结束",
}  # fmt: skip

LOST = {"reservation_key": "预约", "lot": "停车场", "begins_at": "开始", "ends_at": "结束", "outcome": "替代泊位"}


def why_options(view: View) -> View:
    """The reason of the closed list, in words, and what the public reads."""
    reason = click.option("--because", "reason_class", type=click.Choice(list(REASONS)), default="other")
    words = click.option("--reason", required=True, help="why, for the record")
    told = click.option("--announce", "announcement", required=True, help="what the public reads at once")
    return reason(words(told(view)))


def span_options(view: View) -> View:
    """From when until when."""
    first = click.option("--from", "begins_at", type=MOMENT, help="first moment; else now")
    last = click.option("--until", "ends_at", type=MOMENT, required=True, help="first moment after it")
    return first(last(view))


def once_option(view: View) -> View:
    """A key of this very request."""
    told = "a UUID of this request: sent again, it changes nothing"
    return click.option("--request", "request_key", type=click.UUID, help=told)(view)


def where_options(view: View) -> View:
    """Some lots, a district, or the city."""
    lots = click.option("--lot", "lots", multiple=True, help="a lot by key or name; may be told several times")
    district = click.option("--district", help="all lots of a district, by its code")
    city = click.option("--city", is_flag=True, help="all lots of the city")
    return lots(district(city(view)))


def _where(lots: Sequence[str], district: str | None, *, city: bool) -> Where:
    if sum((bool(lots), district is not None, city)) != 1:
        raise click.UsageError("say one of --lot, --district, --city")
    if city:
        return Where.city()
    return Where.district(district) if district is not None else Where.lots(*(named(Lot, each).key for each in lots))


def _adjust(by: Actor, lots: Sequence[str], what: What, **told: Any) -> Note:
    begins_at: datetime = told["begins_at"] or clock.now()
    why = Why(told["reason_class"], told["reason"], told["announcement"])
    keys = [named(Lot, each).key for each in lots]
    during = span(begins_at, told["ends_at"])
    return _made(actions.adjust(by, keys, during, what, why, request_key=told["request_key"]))


def _made(row: Adjustment) -> Note:
    return Note("调整已生效并公告", key=row.key, begins_at=row.during.lower, ends_at=row.during.upper)


@adjustments.command("close")
@click.argument("lots", nargs=-1, required=True)
@span_options
@why_options
@once_option
@acting
def close(by: Actor, lots: tuple[str, ...], **told: Any) -> Answer:
    """Shut whole LOTS (keys or names) for a span.

    Example: flask --app wsgi adjustments close 南院停车场 --until '2026-10-02 08:00' --because safety --reason 消防演练
    --announce 因消防演练临时关闭 --as wang
    """
    return _adjust(by, lots, CloseLot(), **told)


@adjustments.command("fewer-bays")
@click.argument("lots", nargs=-1, required=True)
@click.option("--by", "fewer", type=int, help="so many bays fewer in each lot")
@click.option("--bay", "numbers", multiple=True, help="this bay, by its number; may be told several times")
@span_options
@why_options
@once_option
@acting
def fewer_bays(by: Actor, lots: tuple[str, ...], *, fewer: int | None, numbers: tuple[str, ...], **told: Any) -> Answer:
    """Share fewer bays for a span: so many fewer, or those that are named.

    Example: flask --app wsgi adjustments fewer-bays 南院停车场 --by 20 --until '2026-10-02 08:00' --because unit_duty
    --reason 会议用车 --announce 会议期间共享泊位减少 --as wang
    """
    if (fewer is None) == (not numbers):
        raise click.UsageError("say either --by or --bay")
    return _adjust(by, lots, TheseBays(numbers) if fewer is None else FewerBays(fewer), **told)


@adjustments.command("hours")
@click.argument("lots", nargs=-1, required=True)
@click.option("--open-from", type=CLOCK, required=True, help="on each day open from this time on")
@click.option("--open-until", type=CLOCK, required=True, help="until this time; earlier than the first: next day")
@span_options
@why_options
@once_option
@acting
def hours(by: Actor, lots: tuple[str, ...], *, open_from: time, open_until: time, **told: Any) -> Answer:
    """Open only between two clock times on each day of a span; never longer than the usual hours.

    Example: flask --app wsgi adjustments hours 南院停车场 --open-from 20:00 --open-until 06:00
    --until '2026-10-08 00:00' --because construction --reason 施工 --announce 施工期间开放时段调整 --as wang
    """
    return _adjust(by, lots, OtherHours(open_from, open_until), **told)


@adjustments.command("close-now")
@where_options
@click.option("--until", type=MOMENT, help="first moment after it; without one it needs --review")
@click.option("--review", "review_at", type=MOMENT, help="when somebody looks at an emergency without an end again")
@click.option("--because", "reason_class", type=click.Choice(list(REASONS)), default="emergency", show_default=True)
@click.option("--reason", required=True, help="why, for the record")
@click.option("--announce", "announcement", required=True, help="what the public reads at once")
@once_option
@acting
def close_now(by: Actor, **told: Any) -> Answer:
    """Shut lots, a district or the city from this moment.

    Example: flask --app wsgi adjustments close-now --district 330106 --review '2026-08-01 12:00' --reason 台风
    --announce 因台风暂停开放 --as wang
    """
    where = _where(told["lots"], told["district"], city=told["city"])
    why = Why(told["reason_class"], told["reason"], told["announcement"])
    once: uuid.UUID | None = told["request_key"]
    return _made(actions.close_now(by, where, why, until=told["until"], review_at=told["review_at"], request_key=once))


@adjustments.command("free-now")
@where_options
@click.option("--basis", "basis_key", type=click.UUID, help="the approved basis, where public money is waived")
@span_options
@why_options
@once_option
@acting
def free_now(by: Actor, **told: Any) -> Answer:
    """Take no money in lots, a district or the city for a span.

    Example: flask --app wsgi adjustments free-now --city --until '2026-10-02 00:00' --because major_event --reason 活动
    --announce 活动期间免费停放 --basis 0197b5c8-0000-7000-8000-000000000000 --as wang
    """
    where = _where(told["lots"], told["district"], city=told["city"])
    why = Why(told["reason_class"], told["reason"], told["announcement"])
    during = span(told["begins_at"] or clock.now(), told["ends_at"])
    once: uuid.UUID | None = told["request_key"]
    return _made(actions.free_now(by, where, during, why, basis_key=told["basis_key"], request_key=once))


@adjustments.command("record-basis")
@click.argument("document_no")
@click.option("--text", default="", help="what it says")
@click.option("--file", "paper", type=PAPER, help="the document itself: PDF, PNG or JPEG, at most 10 MB")
@click.option("--district", "district_code", help="for one district only, by its code")
@click.option("--unit", help="for one unit only, by key or name")
@span_options
@acting
def record_basis(
    by: Actor,
    document_no: str,
    *,
    text: str,
    paper: Paper | None,
    district_code: str | None,
    unit: str | None,
    begins_at: datetime | None,
    ends_at: datetime,
) -> Answer:
    """Record on what document public money may be waived; another person approves it.

    Example: flask --app wsgi adjustments record-basis 杭财〔2026〕1号 --text 活动期间免费 --file notice.pdf
    --until '2026-10-02 00:00' --as liu
    """
    unit_key = named(Unit, unit).key if unit else None
    covers = span(begins_at or clock.now(), ends_at)
    row = actions.record_basis(
        by, document_no, text, covers, district_code=district_code, unit_key=unit_key, paper=paper
    )
    return Note("减免依据已登记，待另一人审批", key=row.key)


@adjustments.command("approve-basis")
@click.argument("basis_key", type=click.UUID)
@acting
def approve_basis(by: Actor, basis_key: uuid.UUID) -> Answer:
    """Approve what somebody else recorded.

    Example: flask --app wsgi adjustments approve-basis 0197b5c8-0000-7000-8000-000000000000 --as chen
    """
    return Note("减免依据已审批", key=actions.approve_basis(by, basis_key).key)


@adjustments.command("bases")
@acting
def bases(by: Actor) -> Answer:
    """List the bases of waivers.

    Example: flask --app wsgi adjustments bases --as chen
    """
    rows = queries.bases(by)
    people = logins([each for row in rows for each in (row.recorded_by, row.approved_by) if each is not None])
    headings = {
        "key": "编号", "document_no": "文号", "begins_at": "自", "ends_at": "至", "recorded_by": "登记人",
        "approved_by": "审批人",
    }  # fmt: skip
    return Sheet(headings, [_basis(row, people) for row in rows])


@adjustments.command("show-basis")
@click.argument("basis_key", type=click.UUID)
@click.option("--save", type=click.File("xb", lazy=True), help="write the document to this new file")
@acting
def show_basis(by: Actor, basis_key: uuid.UUID, *, save: BinaryIO | None) -> Answer:
    """Show what a basis says, and its document's hash; --save writes the document to a new file.

    Example: flask --app wsgi adjustments show-basis 0197b5c8-0000-7000-8000-000000000000 --save notice.pdf --as chen
    """
    row = queries.basis_seen(by, basis_key)
    file = None if row.file_id is None else content_of(row.file_id)
    if save is not None:
        if file is None:
            raise FileNotKept
        save.write(file.content)
    people = logins([each for each in (row.recorded_by, row.approved_by) if each is not None])
    told = {"document": file.name, "sha256": file.sha256.hex()} if file else {}
    return Note("减免依据", **_basis(row, people), **told)


def _basis(row: WaiverBasis, people: dict[int, str]) -> dict[str, Any]:
    return {
        "key": row.key, "document_no": row.document_no, "text": row.text, "district_code": row.district_code,
        "begins_at": row.covers.lower, "ends_at": row.covers.upper, "recorded_by": people[row.recorded_by],
        "approved_by": None if row.approved_by is None else people[row.approved_by],
    }  # fmt: skip


@adjustments.command("end")
@click.argument("adjustment_key", type=click.UUID)
@click.option("--reason", required=True, help="why it ends before its time")
@acting
def end(by: Actor, adjustment_key: uuid.UUID, *, reason: str) -> Answer:
    """Let an adjustment end now, by its key.

    Example: flask --app wsgi adjustments end 0197b5c8-0000-7000-8000-000000000000 --reason 活动取消 --as wang
    """
    return Note("调整已结束，恢复开放", ended_at=actions.end(by, adjustment_key, reason).ended_at)


@adjustments.command("list")
@click.option("--ended", is_flag=True, help="those that are over too")
@acting
def list_adjustments(by: Actor, *, ended: bool) -> Answer:
    """List adjustments, the newest first, with how many reservations they displaced.

    Example: flask --app wsgi adjustments list --ended --as wang
    """
    return Sheet(HEADINGS, [_listed(each) for each in queries.adjustments(by, with_ended=ended)])


def _listed(each: Listed) -> dict[str, Any]:
    row = each.adjustment
    return {
        "key": row.key, "kind": row.kind, "scope": row.scope, "district_code": row.district_code,
        "reason_class": row.reason_class, "reason": row.reason, "announcement": row.announcement,
        "begins_at": row.during.lower, "ends_at": row.during.upper, "ended_at": row.ended_at,
        "lots": each.lots, "done": each.done, "displaced": each.displaced,
    }  # fmt: skip


@adjustments.command("affected")
@click.argument("adjustment_key", type=click.UUID)
@acting
def affected(by: Actor, adjustment_key: uuid.UUID) -> Answer:
    """List the reservations that an adjustment displaced, and what was offered instead.

    Example: flask --app wsgi adjustments affected 0197b5c8-0000-7000-8000-000000000000 --as wang
    """
    return Sheet(LOST, [vars(each) for each in queries.affected(by, adjustment_key)])
