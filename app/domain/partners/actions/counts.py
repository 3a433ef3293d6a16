"""Partners tell how many shared bays are free."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, select

from app.domain.partners.actions.records import Record, heard_of, judged, locked_lots
from app.domain.partners.models import LotCount
from app.domain.partners.queries import OwnLot
from app.domain.partners.rules import Count, Verdict, count_is_new
from app.kernel import clock
from app.kernel.db import current, transaction

CountRecord = Record[Count]
Moment = tuple[int, datetime]


def take_counts(partner_id: int, records: Sequence[CountRecord]) -> list[Verdict]:
    """Take a batch of absolute counts in; a verdict for each record (N2.2.5, N4.8).

    A count that is known already is `repeated`. Refused, and written down, are counts of lots that are not this
    partner's (`lot_not_found`), unreadable ones (`fields_refused`) and what `rules.count_is_new` refuses.
    """
    with transaction():
        lots = locked_lots(partner_id, {record.lot for record in records if record.lot})
        ledger = _Ledger(partner_id, lots.values(), [record.told for record in records if record.told])
        verdicts = judged(partner_id, "count", records, ledger.take, lots)
        ledger.write()
        return verdicts


class _Ledger:
    """What is known of this partner's counts, and what this batch adds; its lots are locked."""

    def __init__(self, partner_id: int, lots: Iterable[OwnLot], told: Sequence[Count]) -> None:
        self._partner_id, self._moment = partner_id, clock.now()
        ids = [own.id for own in lots]
        self._newest = _newest(partner_id, ids)
        self._known = _known(partner_id, ids, {count.counted_at for count in told})
        self._new: list[LotCount] = []

    def take(self, own: OwnLot, told: Count) -> bool:
        same = self._known.get((own.id, told.counted_at))
        if not count_is_new(told, own.capacity, self._newest.get(own.id), same, self._moment):
            return False
        self._newest[own.id] = told.counted_at
        self._known[own.id, told.counted_at] = told
        self._new.append(
            LotCount(partner_id=self._partner_id, lot_id=own.id, received_at=self._moment, **vars(told))
        )  # fmt: skip
        return True

    def write(self) -> None:
        current().add_all(self._new)
        current().flush()
        heard_of(self._partner_id, {count.lot_id for count in self._new}, self._moment)


def _newest(partner_id: int, lot_ids: Sequence[int]) -> dict[int, datetime]:
    rows = current().execute(
        select(LotCount.lot_id, func.max(LotCount.counted_at))
        .where(LotCount.partner_id == partner_id, LotCount.lot_id.in_(lot_ids))
        .group_by(LotCount.lot_id)
    )
    return dict(rows.all())


def _known(partner_id: int, lot_ids: Sequence[int], moments: set[datetime]) -> dict[Moment, Count]:
    rows = current().scalars(
        select(LotCount).where(
            LotCount.partner_id == partner_id, LotCount.lot_id.in_(lot_ids), LotCount.counted_at.in_(moments)
        )
    )
    return {(row.lot_id, row.counted_at): Count(row.free, row.total, row.charging_free, row.counted_at) for row in rows}
