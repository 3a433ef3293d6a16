"""The fee that is asked: a lot's own, but never above the surrounding government-priced lots (N3.3)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from app.domain.pricing.rules.quotes import Quote


class FreeTime(NamedTuple):
    """A half-open span [begins_at, ends_at) in which a lot takes no money, and the row that says so."""

    begins_at: datetime
    ends_at: datetime
    id: int

    def reaching(self, billed_until: datetime, leaves_at: datetime) -> "FreeTime":
        """The same for a car that is billed no longer than until some moment, and leaves later: free when it leaves."""
        is_last = self.begins_at <= leaves_at < self.ends_at
        return self._replace(begins_at=min(self.begins_at, billed_until)) if is_last else self


@dataclass(frozen=True)
class BilledFee:
    """The lot's own quote, the cheapest reference quote for the same stay, and the lower of both in fen.

    `waived_fen` is what free time (`waiver`) takes off that.
    """

    own: Quote
    reference: Quote | None
    waived_fen: int = 0
    waiver: FreeTime | None = None

    @property
    def before_waiver_fen(self) -> int:
        return self.own.total_fen if self.reference is None else min(self.own.total_fen, self.reference.total_fen)

    @property
    def fee_fen(self) -> int:
        return self.before_waiver_fen - self.waived_fen

    @property
    def is_capped(self) -> bool:
        """Whether the references made the fee lower."""
        return self.before_waiver_fen < self.own.total_fen

    @property
    def reduction_fen(self) -> int:
        return self.own.total_fen - self.fee_fen


def capped(own: Quote, references: Sequence[Quote]) -> BilledFee:
    """Totals are compared, for the very stay: free minutes, tails and caps differ, so single rates prove nothing."""
    return BilledFee(own, min(references, key=lambda quote: quote.total_fen, default=None))


def charged_parts(entry: datetime, exit_: datetime, free: Sequence[FreeTime]) -> Iterator[tuple[datetime, datetime]]:
    """The parts of a stay that are paid for: none when it ends in free time, else what lies outside of it."""
    if any(each.begins_at <= exit_ < each.ends_at for each in free):
        return
    begins_at = entry
    for each in sorted(free):
        if each.ends_at > begins_at:
            if begins_at < min(each.begins_at, exit_):
                yield begins_at, min(each.begins_at, exit_)
            begins_at = each.ends_at
    if begins_at < exit_:
        yield begins_at, exit_
