"""Lots as the board knows them, out of the tables: a handful of questions for any number of lots."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, false, func, not_, or_, select, true
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import InstrumentedAttribute

from app.domain.claims.models import BayClaim
from app.domain.claims.queries import live, stale
from app.domain.lots.models import (
    Bay,
    BayClosure,
    Lot,
    LotAnnouncement,
    LotClosure,
    OpeningPlan,
    OpenWindow,
)
from app.domain.lots.queries import IS_PUBLIC
from app.domain.lots.queries.closures import announced
from app.domain.lots.rules import Curfew
from app.domain.policies.rules import NARROWEST_FIRST
from app.domain.pricing.models import CapRule, LotPrice, LotTariff, ReferenceSet, ReferenceSetMember, ReferenceVersion
from app.domain.pricing.queries import tariffs
from app.domain.search.rules.bays import EVER, NEVER, Busy, Gaps
from app.domain.search.rules.board import BoardLot
from app.domain.search.rules.price_book import Dated, DatedRule, price_book
from app.domain.search.rules.timetable import Timetable, Window
from app.domain.units.models import AgreementLot, OperatingAgreement, Operator, Unit
from app.kernel.clock import SHANGHAI
from app.kernel.db import current

MANY: Final = 500
"""For more lots than this everything is read and no list of ids is sent."""


def load(lot_ids: Sequence[int] | None, now: datetime) -> Mapping[int, BoardLot]:
    """These public lots, or all of them, as they stand now; their tariffs are read, so that no search waits for one."""
    among = _among(lot_ids)
    free = _free(among, now)
    windows = _windows(among, now)
    own, references = _dated(_own(among, now)), _dated(_references(among, now))
    tariffs({each.tariff_id for dated in (own, references) for lot in dated.values() for each in lot})
    ends: dict[int, datetime] = dict(_hold_ends(among, now))
    notices, run, curfews = _notices(among, now), _operators(among, now), _curfews(among)
    asked = select(Lot, Unit).join(Unit, Unit.id == Lot.unit_id).where(IS_PUBLIC, among(Lot.id))
    rows = current().execute(asked).all()
    rules = _rules((lot for lot, _ in rows), now)
    return {
        lot.id: BoardLot(
            id=lot.id, latitude=lot.latitude, longitude=lot.longitude,
            told=_told(lot, unit, free.bays[lot.id], notices[lot.id], run.told.get(lot.id), curfews.get(lot.id)),
            words=normal(f"{lot.name} {lot.address} {unit.name}"), takes_cars=lot.state == "open",
            timetable=Timetable.of(windows.get(lot.id, ())), gaps=free.gaps(lot.id),
            prices=price_book(tuple(own[lot.id]), tuple(references[lot.id]), tuple(rules[lot.id])),
            curfew=curfews.get(lot.id),
            stale_at=min(
                [ends.get(lot.id, NEVER), *run.turns[lot.id], *(_turn(each) for each in notices[lot.id])]
            ),
        )
        for lot, unit in rows
    }  # fmt: skip


def normal(words: str) -> str:
    """Words in one width, one case and with single blanks."""
    return " ".join(unicodedata.normalize("NFKC", words).casefold().split())


class _Among:
    """The condition that a column names one of the lots asked for; for all of them it asks nothing."""

    def __init__(self, lot_ids: Sequence[int] | None) -> None:
        self._ids = lot_ids

    def __call__(self, column: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        return true() if self._ids is None else column.in_(self._ids)


def _among(lot_ids: Sequence[int] | None) -> _Among:
    return _Among(None if lot_ids is None or len(lot_ids) > MANY else lot_ids)


def _told(
    lot: Lot,
    unit: Unit,
    bays: Mapping[int, tuple[str, Any]],
    notices: Sequence[Mapping[str, Any]],
    operator: Mapping[str, Any] | None,
    curfew: Curfew | None,
) -> Mapping[str, Any]:
    return {
        "key": lot.key, "name": lot.name, "address": lot.address, "unit": unit.name, "state": lot.state,
        "shared_bays": len(bays), "total_chargers": lot.total_chargers, "shared_chargers": lot.shared_chargers,
        "height_limit_cm": lot.height_limit_cm, "length_limit_cm": lot.length_limit_cm,
        "announcements": notices, "operator": operator,
        "movement_curfew": curfew and {"begins": f"{curfew.begins:%H:%M}", "ends": f"{curfew.ends:%H:%M}"},
    }  # fmt: skip


class _Operators:
    """Who runs lots now, for those that an operator runs, and the moments at which that changes by itself."""

    def __init__(self) -> None:
        self.told: dict[int, Mapping[str, Any]] = {}
        self.turns: dict[int, list[datetime]] = defaultdict(list)


def _operators(among: _Among, now: datetime) -> _Operators:
    run, valid = _Operators(), AgreementLot.valid
    asked = (
        select(AgreementLot.lot_id, func.lower(valid), func.upper(valid), Operator.name, Operator.service_phone)
        .join(OperatingAgreement, OperatingAgreement.id == AgreementLot.agreement_id)
        .join(Operator, Operator.id == OperatingAgreement.operator_id)
        .where(among(AgreementLot.lot_id), valid.overlaps(Range(now, None)))
    )
    for lot_id, begins_at, ends_at, name, phone in current().execute(asked):
        run.turns[lot_id].append(ends_at if begins_at <= now else begins_at)
        if begins_at <= now:
            run.told[lot_id] = {"name": name, "service_phone": phone}
    return run


def _curfews(among: _Among) -> Mapping[int, Curfew]:
    """Between which clock times no car may move, where the plan in force says so."""
    begins, ends = OpeningPlan.curfew_begins, OpeningPlan.curfew_ends
    asked = select(OpeningPlan.lot_id, begins, ends).where(
        among(OpeningPlan.lot_id), OpeningPlan.state == "approved", begins.is_not(None)
    )
    rows = current().execute(asked)
    return {lot_id: Curfew(first, last) for lot_id, first, last in rows if first is not None and last is not None}


def _notices(among: _Among, now: datetime) -> Mapping[int, list[dict[str, Any]]]:
    """What is announced about lots (N5.6), also ahead; one that is over makes its lot's state stale."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    asked = select(LotAnnouncement).where(among(LotAnnouncement.lot_id), announced(now))
    for row in current().scalars(asked.order_by(func.lower(LotAnnouncement.during), LotAnnouncement.id)):
        told = {"kind": row.kind, "text": row.text, "begins_at": row.during.lower, "ends_at": row.during.upper}
        found[row.lot_id].append(told)
    for price in current().scalars(_coming_prices(among, now)):
        told = {"kind": "price", "text": price.notice, "begins_at": price.effective_from, "ends_at": None}
        found[price.lot_id].append(told)
    return found


def _coming_prices(among: _Among, now: datetime) -> Select[LotPrice]:
    """Prices that are announced and do not hold yet (N3.3)."""
    coming = and_(LotPrice.state == "published", LotPrice.effective_from > now)
    return select(LotPrice).where(among(LotPrice.lot_id), coming).order_by(LotPrice.effective_from)


def _turn(notice: Mapping[str, Any]) -> datetime:
    """When an announcement is over: a price's when it begins to hold."""
    ends_at: datetime | None = notice["begins_at"] if notice["kind"] == "price" else notice["ends_at"]
    return ends_at or NEVER


class _Free:
    """Shared bays by lot and kind, and the spans for which each is taken or closed."""

    def __init__(self) -> None:
        self.bays: dict[int, dict[int, tuple[str, list[Busy]]]] = defaultdict(dict)

    def gaps(self, lot_id: int) -> Gaps:
        return Gaps.of(self.bays[lot_id].values())


def _free(among: _Among, now: datetime) -> _Free:
    free = _Free()
    by_bay: dict[int, list[Busy]] = {}
    shared = select(Bay.id, Bay.lot_id, Bay.kind).where(Bay.shared, among(Bay.lot_id))
    for bay_id, lot_id, kind in current().execute(shared):
        by_bay[bay_id] = []
        free.bays[lot_id][bay_id] = (kind, by_bay[bay_id])
    for bay_id, begins_at, ends_at in _busy(among, now):
        if bay_id in by_bay:
            by_bay[bay_id].append((begins_at or EVER, ends_at or NEVER))
    return free


def _busy(among: _Among, now: datetime) -> Iterable[Any]:
    """What takes a bay from now on, as the guard sees it."""
    claims = (
        select(BayClaim.bay_id, func.lower(BayClaim.during), func.upper(BayClaim.during))
        .join(Bay, and_(Bay.id == BayClaim.bay_id, among(Bay.lot_id)))
        .where(live(), not_(stale(now)), func.upper(BayClaim.during) > now)
    )
    closures = (
        select(BayClosure.bay_id, func.lower(BayClosure.during), func.upper(BayClosure.during))
        .join(Bay, and_(Bay.id == BayClosure.bay_id, among(Bay.lot_id)))
        .where(BayClosure.during.overlaps(Range(now, None)))
    )
    return chain(current().execute(claims), current().execute(closures))


def _hold_ends(among: _Among, now: datetime) -> Iterable[Any]:
    """When the next hold of each lot ends by itself."""
    asked = (
        select(Bay.lot_id, func.min(BayClaim.hold_expires_at))
        .join(Bay, Bay.id == BayClaim.bay_id)
        .where(BayClaim.state == "held", BayClaim.hold_expires_at > now, among(Bay.lot_id))
        .group_by(Bay.lot_id)
    )
    return current().execute(asked).all()


def _windows(among: _Among, now: datetime) -> Mapping[int, list[Window]]:
    """Open windows from this morning on, without what is closed even before the windows are written anew."""
    since = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    asked = (
        select(OpenWindow.lot_id, func.lower(OpenWindow.during), func.upper(OpenWindow.during))
        .where(among(OpenWindow.lot_id), OpenWindow.during.overlaps(Range(since, None)))
        .order_by(OpenWindow.lot_id, OpenWindow.during)
    )
    windows: dict[int, list[Window]] = defaultdict(list)
    for lot_id, opens_at, closes_at in current().execute(asked):
        windows[lot_id].append((opens_at, closes_at))
    closures = select(LotClosure.lot_id, func.lower(LotClosure.during), func.upper(LotClosure.during)).where(
        among(LotClosure.lot_id), LotClosure.during.overlaps(Range(since, None))
    )
    for lot_id, begins_at, ends_at in current().execute(closures):
        windows[lot_id] = [part for each in windows[lot_id] for part in _without(each, begins_at, ends_at or NEVER)]
    return windows


def _without(window: Window, begins_at: datetime, ends_at: datetime) -> Iterator[Window]:
    parts = (window[0], min(window[1], begins_at)), (max(window[0], ends_at), window[1])
    return (part for part in parts if part[0] < part[1])


def _own(among: _Among, now: datetime) -> Iterable[Any]:
    valid = LotTariff.valid
    asked = select(
        LotTariff.lot_id, LotTariff.tariff_id, func.lower(valid), func.upper(valid), LotTariff.running == "split"
    ).order_by(func.lower(valid))
    return current().execute(asked.where(among(LotTariff.lot_id), _not_over(valid, now)))


def _references(among: _Among, now: datetime) -> Iterable[Any]:
    """References by lot, for as long as both the lot's set and the reference's version hold."""
    valid = ReferenceSet.valid * ReferenceVersion.valid
    asked = (
        select(ReferenceSet.lot_id, ReferenceVersion.tariff_id, func.lower(valid), func.upper(valid), false())
        .join(ReferenceSetMember, ReferenceSetMember.set_id == ReferenceSet.id)
        .join(ReferenceVersion, ReferenceVersion.reference_id == ReferenceSetMember.reference_id)
        .where(ReferenceVersion.state == "approved", not_(func.isempty(valid)))
        .order_by(ReferenceSetMember.reference_id)
    )
    return current().execute(asked.where(among(ReferenceSet.lot_id), _not_over(valid, now)))


def _rules(lots: Iterable[Lot], now: datetime) -> Mapping[int, list[DatedRule]]:
    """Which rules of combining speak of each lot: its own, its unit's, the city's."""
    told: dict[tuple[str, int], list[DatedRule]] = defaultdict(list)
    for row in current().scalars(select(CapRule).where(_not_over(CapRule.valid, now))):
        rank = NARROWEST_FIRST.index(row.scope)
        dated = DatedRule(rank, row.valid.lower or EVER, row.valid.upper or NEVER, row.rule)
        told[row.scope, row.scope_id].append(dated)
    return {lot.id: [*told["lot", lot.id], *told["unit", lot.unit_id], *told["city", 0]] for lot in lots}


def _not_over(valid: Any, now: datetime) -> ColumnElement[bool]:
    return or_(func.upper_inf(valid), func.upper(valid) > now - timedelta(days=1))


def _dated(rows: Iterable[Any]) -> Mapping[int, list[Dated]]:
    found: dict[int, list[Dated]] = defaultdict(list)
    for lot_id, tariff_id, begins_at, ends_at, splits in rows:
        found[lot_id].append(Dated(begins_at or EVER, ends_at or NEVER, tariff_id, splits))
    return found
