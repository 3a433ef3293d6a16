"""What is to be proved of a lot's price now, and what was proved already."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from app.domain.calendars.models import CalendarVersion
from app.domain.calendars.queries import day_book
from app.domain.calendars.rules import Status
from app.domain.lots.queries import place_of
from app.domain.lots.queries.places import seen_lot
from app.domain.pricing.models import CapProof, LotPrice, LotTariff, TariffVersion
from app.domain.pricing.queries import TariffMissing, tariffs
from app.domain.pricing.queries.bases import references_at, rules_at
from app.domain.pricing.rules.inputs import Inputs
from app.domain.pricing.rules.proofs import LOWEST, Readings
from app.domain.pricing.rules.proofs.dates import unknown
from app.domain.pricing.rules.tariff import Tariff
from app.domain.staff.rules import Actor, permit
from app.kernel import clock
from app.kernel.clock import business_day
from app.kernel.db import current, transaction

DAY = timedelta(days=1)
AFTER_THE_LAST_ENTRY = timedelta(days=3)
"""A stay of two days that begins on the last day reaches so far."""


def inputs_of(wanted: Mapping[int, int], at: datetime) -> dict[int, Inputs]:
    """What to prove of these lots, if each charged by a tariff (`wanted`) for entries from a moment on.

    Entries are proved up to the end of the year after.
    """
    with transaction():
        ids = list(wanted)
        first_day = business_day(at)
        last_day = date(first_day.year + 1, 12, 31)
        calendars, rules = _calendars(first_day.year, last_day.year + 1), rules_at(ids, at)
        around: dict[int, list[tuple[int, int]]] = {each: [] for each in ids}
        sets: dict[int, int] = {}
        for lot_id, set_id, source in references_at(ids, at):
            sets[lot_id] = set_id
            around[lot_id].append((source.reference_version_id or 0, source.tariff_id))
        return {
            lot_id: Inputs(
                lot_id, tariff_id, sets.get(lot_id), tuple(sorted(around[lot_id])),
                rules[lot_id].rule if lot_id in rules else LOWEST, calendars, first_day, last_day,
            )
            for lot_id, tariff_id in wanted.items()
        }  # fmt: skip


def _calendars(first: int, last: int) -> tuple[tuple[int, int | None], ...]:
    asked = select(CalendarVersion.year, CalendarVersion.id).where(
        CalendarVersion.in_force, CalendarVersion.status == Status.OFFICIAL, CalendarVersion.year.between(first, last)
    )
    known: dict[int, int] = dict(current().execute(asked).all())
    return tuple((year, known.get(year)) for year in range(first, last + 1))


def readings_of(inputs: Inputs) -> Readings:
    """Every day that the calendar can produce, from a day before the first entry to the end of the last stay."""
    first, last = inputs.first_day - DAY, inputs.last_day + AFTER_THE_LAST_ENTRY
    book = day_book(first, last)
    days = [first + timedelta(days=place) for place in range((last - first).days + 1)]
    return {each: unknown(each) if book.is_provisional(each) else (book.day(each),) for each in days}


def tariffs_of(inputs: Inputs) -> tuple[Tariff, list[Tariff]]:
    """The tariff to be proved, and those that it is compared with."""
    known = tariffs({inputs.tariff_id, *inputs.compared})
    return known[inputs.tariff_id], [known[each] for each in inputs.compared]


class Newest(NamedTuple):
    """A lot's newest price that was not withdrawn, by the name of its tariff, and what it is to be proved of now."""

    lot: str
    version: int
    tariff: str
    inputs: Inputs


def newest_of(by: Actor, lot_key: UUID) -> Newest:
    """What a proof of a lot speaks of, drafts and published prices alike.

    Refuses `NotFound`, `NotPermitted`, and `TariffMissing` where nothing was drafted yet.
    """
    with transaction() as session:
        lot = seen_lot(by, lot_key)
        permit(by, "pricing.see", place_of(lot.id))
        asked = (
            select(LotPrice, TariffVersion.name)
            .join(TariffVersion, TariffVersion.id == LotPrice.tariff_id)
            .where(LotPrice.lot_id == lot.id, LotPrice.state != "withdrawn")
            .order_by(LotPrice.version.desc())
            .limit(1)
        )
        row = session.execute(asked).one_or_none()
        if row is None:
            raise TariffMissing(lot=lot.name)
        price, tariff = row
        at = max(clock.now(), price.effective_from or price.wanted_from or clock.now())
        return Newest(lot.name, price.version, tariff, inputs_of({lot.id: price.tariff_id}, at)[lot.id])


def proof_of_equals(inputs: Inputs) -> CapProof | None:
    """The newest proof of the same tariffs under the same rule and calendars, of whatever lot.

    A failed one says nothing of later entries: the stay that it shows may be over.
    """
    same_days = CapProof.first_day == inputs.first_day
    asked = (
        select(CapProof)
        .where(CapProof.content_digest == inputs.content_digest())
        .where(or_(and_(CapProof.holds, CapProof.first_day <= inputs.first_day), same_days))
        .order_by(CapProof.id.desc())
        .limit(1)
    )
    with transaction() as session:
        return session.scalar(asked)


def charged_now_or_later(lot_ids: Sequence[int] | None = None) -> list[tuple[int, int, datetime]]:
    """Lots with the tariffs by which they charge now or will (lot, tariff, since when, not before now)."""
    now = clock.now()
    asked = (
        select(LotTariff.lot_id, LotTariff.tariff_id, func.greatest(func.lower(LotTariff.valid), now))
        .where(or_(func.upper_inf(LotTariff.valid), func.upper(LotTariff.valid) > now))
        .order_by(LotTariff.lot_id, LotTariff.id)
    )
    if lot_ids is not None:
        asked = asked.where(LotTariff.lot_id.in_(lot_ids))
    with transaction() as session:
        return [(lot_id, tariff_id, since) for lot_id, tariff_id, since in session.execute(asked)]


def last_version(lot_id: int) -> int:
    """The number of a lot's newest price; 0 before the first."""
    return current().scalar(select(func.max(LotPrice.version)).filter_by(lot_id=lot_id)) or 0
