"""Partners tell which cars came and went."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from app.domain.motorists.actions import remember_plates
from app.domain.motorists.plates import Plate
from app.domain.partners.actions.records import Record, heard_of, judged, locked_lots
from app.domain.partners.models import PartnerVisit, PartnerVisitReport
from app.domain.partners.queries import OwnLot
from app.domain.partners.rules import ReportKind, Verdict, Visit, VisitUnknown, digest_of, visit_is_new
from app.kernel import clock
from app.kernel.db import current, transaction


@dataclass(frozen=True)
class ToldVisit:
    """One record of a visit under the partner's own number `uid`; a void tells only that, why and when."""

    uid: str
    kind: ReportKind
    told_at: datetime
    plate: Plate | None = field(default=None, repr=False)
    entered_at: datetime | None = None
    left_at: datetime | None = None
    entry_lane: str | None = None
    exit_lane: str | None = None
    reason: str | None = None


VisitRecord = Record[ToldVisit]


def take_visits(partner_id: int, records: Sequence[VisitRecord]) -> list[Verdict]:
    """Take a batch of entry and exit records in; a verdict for each (N2.2.5, N4.8).

    What was told before is `repeated`, in whatever order. Refused, and written down, are visits to lots that are not
    this partner's (`lot_not_found`), unreadable ones (`fields_refused`) and what `rules.visit_is_new` refuses.
    """
    with transaction():
        lots = locked_lots(partner_id, {record.lot for record in records if record.lot})
        ours = [record for record in records if record.lot in lots and record.told]
        book = _Book(partner_id, lots.values(), [record.told for record in ours if record.told])
        verdicts = judged(partner_id, "visit", records, book.take, lots)
        book.write()
        return verdicts


@dataclass
class _Story:
    """What is known of one visit."""

    row: PartnerVisit
    reports: list[PartnerVisitReport]

    @property
    def last(self) -> Visit | None:
        return _as_told(self.reports[-1]) if self.reports else None


class _Book:
    """The visits that a batch speaks of, with what it adds; their lots are locked."""

    def __init__(self, partner_id: int, lots: Iterable[OwnLot], told: Sequence[ToldVisit]) -> None:
        self._partner_id, self._moment = partner_id, clock.now()
        self._plates = remember_plates({visit.plate for visit in told if visit.plate})
        self._stories = _stories(partner_id, [own.id for own in lots], {visit.uid for visit in told})
        self._heard: set[int] = set()

    def take(self, own: OwnLot, told: ToldVisit) -> bool:
        story = self._stories.get((own.id, told.uid))
        visit = self._read(told, story)
        digest = digest_of(visit)
        if story and any(digest == report.digest for report in story.reports):
            return False
        if not visit_is_new(visit, story.last if story else None, self._moment):
            return False
        self._add(story or self._begun(own, told.uid), visit, digest)
        return True

    def _read(self, told: ToldVisit, story: _Story | None) -> Visit:
        if told.kind == "void":
            return _voided(told, story)
        assert told.entered_at is not None
        plate_id = self._plates[told.plate] if told.plate else None
        return Visit(
            told.kind, plate_id, told.entered_at, told.left_at, told.entry_lane, told.exit_lane, told.reason,
            told.told_at,
        )  # fmt: skip

    def _begun(self, own: OwnLot, uid: str) -> _Story:
        row = PartnerVisit(partner_id=self._partner_id, lot_id=own.id, uid=uid, first_at=self._moment)
        current().add(row)
        current().flush()
        story = self._stories[own.id, uid] = _Story(row, [])
        return story

    def _add(self, story: _Story, visit: Visit, digest: bytes) -> None:
        report = PartnerVisitReport(
            visit_id=story.row.id, number=len(story.reports) + 1, digest=digest, received_at=self._moment, **vars(visit)
        )
        current().add(report)
        story.reports.append(report)
        self._heard.add(story.row.lot_id)

    def write(self) -> None:
        current().flush()
        heard_of(self._partner_id, self._heard, self._moment)


def _voided(told: ToldVisit, story: _Story | None) -> Visit:
    """A void keeps what the visit was; told again, it is the same void."""
    if story is None:
        raise VisitUnknown
    before = next(report for report in reversed(story.reports) if report.kind != "void")
    return Visit(
        "void", before.plate_id, before.entered_at, before.left_at, before.entry_lane, before.exit_lane, told.reason,
        told.told_at,
    )  # fmt: skip


def _as_told(report: PartnerVisitReport) -> Visit:
    kind: ReportKind = report.kind  # type: ignore[assignment]
    return Visit(
        kind, report.plate_id, report.entered_at, report.left_at, report.entry_lane, report.exit_lane, report.reason,
        report.told_at,
    )  # fmt: skip


def _stories(partner_id: int, lot_ids: Sequence[int], uids: set[str]) -> dict[tuple[int, str], _Story]:
    visits = current().scalars(
        select(PartnerVisit).where(
            PartnerVisit.partner_id == partner_id, PartnerVisit.lot_id.in_(lot_ids), PartnerVisit.uid.in_(uids)
        )
    )
    stories = {(visit.lot_id, visit.uid): _Story(visit, []) for visit in visits}
    by_id = {story.row.id: story for story in stories.values()}
    reports = select(PartnerVisitReport).where(PartnerVisitReport.visit_id.in_(by_id))
    for report in current().scalars(reports.order_by(PartnerVisitReport.visit_id, PartnerVisitReport.number)):
        by_id[report.visit_id].reports.append(report)
    return stories
