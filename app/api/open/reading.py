"""Reading the feeds' facts, a batch of lots at a time: each room is asked one question for all lots of a batch."""

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, select
from sqlalchemy.dialects.postgresql import Range

from app.api.open.facts import Batch, Entry, Notice, Organisation, PublicLot, Spans, Standing, shown
from app.api.open.wishes import Box
from app.domain.calendars.queries import day_book
from app.domain.calendars.rules import Status
from app.domain.claims.queries import open_bays
from app.domain.lots.models import Bay, Lot, LotAnnouncement, LotClosure, LotStep, OpeningPlan
from app.domain.lots.queries import IS_PUBLIC, windows
from app.domain.lots.queries.closures import announcements
from app.domain.partners.queries import FreshCount, counted_by_partners, fresh_counts
from app.domain.pricing.queries import PriceWords, price_words
from app.domain.pricing.queries.shown import Change, coming_of
from app.domain.search.models import LotChange
from app.domain.units.models import AgreementLot, District, OperatingAgreement, Operator, Unit
from app.kernel.clock import SHANGHAI, business_day
from app.kernel.datum import gcj02_to_wgs84, wgs84_to_gcj02
from app.kernel.db import current, transaction
from app.kernel.spans import span

BATCH = 500
WEEK = timedelta(days=7)
EDGE = 0.001
"""Degrees around a rectangle within which GCJ-02 may lie otherwise than its corners; the edge itself is asked after."""

DECIMALS = 6
"""Of a degree: a tenth of a metre."""


@dataclass(frozen=True)
class Selection:
    """Which public lots: in a rectangle, with a key after `after`, at most `limit`; None is no bound."""

    box: Box | None = None
    after: uuid.UUID | None = None
    limit: int | None = None


@contextmanager
def snapshot() -> Iterator[None]:
    """All that is read within is of one moment."""
    with transaction() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield


def horizon() -> int:
    """The first transaction whose changes of lots this snapshot may not see yet."""
    seen = current().scalar(select(func.txid_snapshot_xmin(func.txid_current_snapshot())))
    assert seen is not None
    return int(seen)


def has_changed_since(seen: int) -> bool:
    """Whether a lot, its hours, prices, bays or claims changed after the snapshot with this `horizon`."""
    return bool(current().scalar(select(exists().where(LotChange.transaction_id >= seen))))


def week_of(at: datetime) -> tuple[datetime, datetime]:
    """Seven days from the midnight before a moment, on the clocks of Hangzhou."""
    midnight = datetime.combine(business_day(at), datetime.min.time(), SHANGHAI)
    return midnight, midnight + WEEK


def provisional_dates(week: tuple[datetime, datetime]) -> tuple[date, ...]:
    """The dates of a week that no official calendar tells."""
    days = [business_day(week[0]) + timedelta(days=place) for place in range(WEEK.days)]
    book = day_book(days[0], days[-1])
    return tuple(of for of in days if book.day(of).status is Status.PROVISIONAL)


def batches(selection: Selection, at: datetime) -> Iterator[Batch]:
    """The selected lots in the order of their keys, as they stand at a moment."""
    if selection.limit is not None:
        yield _page(selection, selection.limit, at)
        return
    after: uuid.UUID | None = selection.after
    while rows := _rows(selection.box, after, BATCH, at):
        yield Batch(_entries(rows, selection.box, at))
        after = rows[-1].key


def _page(selection: Selection, limit: int, at: datetime) -> Batch:
    rows = _rows(selection.box, selection.after, limit + 1, at)
    page = rows[:limit]
    return Batch(_entries(page, selection.box, at), page[-1].key if len(rows) > limit else None)


def _rows(box: Box | None, after: uuid.UUID | None, most: int, at: datetime) -> Sequence[Row[Any]]:
    chosen = _described(at).where(IS_PUBLIC).order_by(Lot.key).limit(most)
    if after is not None:
        chosen = chosen.where(Lot.key > after)
    if box is not None:
        chosen = chosen.where(_near(box))
    return current().execute(chosen).all()


def _near(box: Box) -> ColumnElement[bool]:
    south, west = wgs84_to_gcj02(box.south, box.west)
    north, east = wgs84_to_gcj02(box.north, box.east)
    return and_(Lot.latitude.between(south - EDGE, north + EDGE), Lot.longitude.between(west - EDGE, east + EDGE))


def _described(at: datetime) -> Select[Any]:
    """Lots with their unit, district, the operator whose agreement holds, and when they last changed."""
    last_step = select(func.max(LotStep.at)).where(LotStep.lot_id == Lot.id).scalar_subquery()
    plan = (
        select(OpeningPlan.decided_at)
        .where(OpeningPlan.lot_id == Lot.id, OpeningPlan.state == "approved")
        .scalar_subquery()
    )
    return (
        select(
            Lot.id, Lot.key, Lot.name, Lot.address, Lot.latitude, Lot.longitude, Lot.state,
            Lot.shared_chargers, Lot.height_limit_cm, func.greatest(last_step, plan).label("updated_at"),
            Unit.key.label("unit_key"), Unit.name.label("unit_name"), Unit.kind.label("unit_kind"),
            District.name.label("district"), District.code.label("district_code"),
            Operator.key.label("operator_key"), Operator.name.label("operator_name"),
            Operator.service_phone.label("operator_phone"),
        )
        .join(Unit, Unit.id == Lot.unit_id)
        .join(District, District.code == Unit.district_code)
        .outerjoin(AgreementLot, and_(AgreementLot.lot_id == Lot.id, AgreementLot.valid.contains(at)))
        .outerjoin(OperatingAgreement, OperatingAgreement.id == AgreementLot.agreement_id)
        .outerjoin(Operator, Operator.id == OperatingAgreement.operator_id)
    )  # fmt: skip


@dataclass(frozen=True)
class _Around:
    """What the rooms answered for the lots of one batch, by lot id."""

    windows: Mapping[int, Sequence[tuple[datetime, datetime]]]
    closures: Mapping[int, list[tuple[datetime, datetime | None]]]
    notices: Mapping[int, Sequence[LotAnnouncement]]
    bays: Mapping[int, tuple[int, int]]
    free: Mapping[int, int]
    counts: Mapping[int, FreshCount]
    counted: Collection[int]
    prices: Mapping[int, PriceWords]
    coming: Mapping[int, Sequence[Change]]


def _entries(rows: Sequence[Row[Any]], box: Box | None, at: datetime) -> list[Entry]:
    ids, week = [row.id for row in rows], week_of(at)
    around = _Around(
        windows=windows(ids, span(*week)),
        closures=_closures(ids, span(at, week[1])),
        notices=announcements(ids, at),
        bays=_bays(ids),
        free=open_bays(ids, Range(at, at, bounds="[]"), at),
        counts=fresh_counts(ids, at),
        counted=counted_by_partners(ids, at),
        prices=price_words(ids, at),
        coming=coming_of(ids, at),
    )
    entries = (_entry(row, around, week, at) for row in rows)
    return [entry for entry in entries if box is None or box.holds(entry.lot.latitude, entry.lot.longitude)]


def _closures(lot_ids: Sequence[int], during: Range[datetime]) -> Mapping[int, list[tuple[datetime, datetime | None]]]:
    found: dict[int, list[tuple[datetime, datetime | None]]] = {}
    rows = current().execute(
        select(LotClosure.lot_id, func.lower(LotClosure.during), func.upper(LotClosure.during))
        .where(LotClosure.lot_id.in_(lot_ids), LotClosure.during.overlaps(during))
        .order_by(LotClosure.lot_id, LotClosure.during)
    )
    for lot_id, begins_at, ends_at in rows:
        found.setdefault(lot_id, []).append((begins_at, ends_at))
    return found


def _bays(lot_ids: Sequence[int]) -> Mapping[int, tuple[int, int]]:
    """How many bays each lot shares, and how many of these are accessible."""
    rows = current().execute(
        select(Bay.lot_id, func.count(), func.count().filter(Bay.kind == "accessible"))
        .where(Bay.lot_id.in_(lot_ids), Bay.shared)
        .group_by(Bay.lot_id)
    )
    return {lot_id: (shared, accessible) for lot_id, shared, accessible in rows}


def _entry(row: Row[Any], around: _Around, week: tuple[datetime, datetime], at: datetime) -> Entry:
    is_suspended = row.state == "suspended"
    hours = [] if is_suspended else around.windows[row.id]
    is_open = any(opens_at <= at < closes_at for opens_at, closes_at in hours)
    free = _free(row.id, around) if is_open else None
    count = around.counts.get(row.id) if is_open else None
    standing = Standing(is_suspended, is_open, shown(free), count.counted_at if count else None)
    return Entry(_lot(row, around, _cut(hours, week)), standing)


def _free(lot_id: int, around: _Around) -> int | None:
    """What neither we have promised nor a partner sees taken; unknown where a partner counts and has fallen silent."""
    unclaimed, count = around.free.get(lot_id, 0), around.counts.get(lot_id)
    if count is not None:
        return min(unclaimed, count.free)
    return None if lot_id in around.counted else unclaimed


def _lot(row: Row[Any], around: _Around, hours: Spans) -> PublicLot:
    latitude, longitude = _wgs84(row.latitude, row.longitude)
    shared, accessible = around.bays.get(row.id, (0, 0))
    prices = around.prices.get(row.id)
    return PublicLot(
        key=row.key, name=row.name, address=row.address,
        latitude=round(latitude, DECIMALS), longitude=round(longitude, DECIMALS),
        unit=Organisation(row.unit_key, row.unit_name, row.unit_kind), operator=_operator(row),
        district=row.district, district_code=row.district_code,
        shared_bays=shared, shared_chargers=row.shared_chargers, accessible_bays=accessible,
        height_limit_cm=row.height_limit_cm,
        price_text=prices.text if prices else None, is_free_of_charge=prices.is_free if prices else None,
        week=hours, closures=tuple(around.closures.get(row.id, ())),
        notices=_told(around.notices[row.id], around.coming.get(row.id, ())), updated_at=row.updated_at,
    )  # fmt: skip


def _told(notices: Sequence[LotAnnouncement], coming: Sequence[Change]) -> tuple[Notice, ...]:
    """Adjustments, and prices that do not hold yet."""
    changes = (Notice("price", each.notice, each.effective_from, None) for each in coming)
    return (*map(_notice, notices), *changes)


def _notice(row: LotAnnouncement) -> Notice:
    assert row.during.lower is not None
    return Notice(row.kind, row.text, row.during.lower, row.during.upper)


@lru_cache(maxsize=65_536)
def _wgs84(latitude: float, longitude: float) -> tuple[float, float]:
    """Converting is an iteration, and lots do not move."""
    return gcj02_to_wgs84(latitude, longitude)


def _operator(row: Row[Any]) -> Organisation | None:
    if row.operator_key is None:
        return None
    return Organisation(row.operator_key, row.operator_name, phone=row.operator_phone)


def _cut(spans: Sequence[tuple[datetime, datetime]], week: tuple[datetime, datetime]) -> Spans:
    """In UTC: to compare moments of different zones takes longer than all the rest."""
    begin, end = (edge.astimezone(UTC) for edge in week)
    return tuple((max(opens_at, begin), min(closes_at, end)) for opens_at, closes_at in spans)
