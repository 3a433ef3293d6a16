"""The fee that is asked: a lot's own, but never above the surrounding government-priced lots (N3.3)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from app.domain.pricing.rules.proofs.combining import LOWEST, combined
from app.domain.pricing.rules.quotes import Line, Quote


class FreeTime(NamedTuple):
    """A half-open span [begins_at, ends_at) in which a lot takes no money, and the row that says so."""

    begins_at: datetime
    ends_at: datetime
    id: int

    def reaching(self, billed_until: datetime, leaves_at: datetime) -> "FreeTime":
        """The same for a car that is billed no longer than until some moment, and leaves later: free when it leaves."""
        is_last = self.begins_at <= leaves_at < self.ends_at
        return self._replace(begins_at=min(self.begins_at, billed_until)) if is_last else self


class Source(NamedTuple):
    """Where a quote comes from: the stored tariff, and the row that says whose it is.

    That is the lot's own (`lot_tariff_id`), or a version of a reference, then with the reference's name. Ids are None
    where nobody bills.
    """

    tariff_id: int
    lot_tariff_id: int | None = None
    reference_version_id: int | None = None
    name: str = ""


class Priced(NamedTuple):
    """A stay, or a part of one, as one tariff prices it."""

    source: Source
    quote: Quote

    @property
    def fen(self) -> int:
        return self.quote.total_fen


@dataclass(frozen=True)
class BilledFee:
    """What a stay costs: the lot's own parts, what each reference asks for the same stay, and the lower of both in fen.

    There are several own parts where the tariff changed and split the stay. References without a price for this very
    stay are left out. `waived_fen` is what free time (`waiver`) takes off.
    """

    own: tuple[Priced, ...]
    caps: tuple[Priced, ...]
    rule: str = LOWEST
    waived_fen: int = 0
    waiver: FreeTime | None = None

    @property
    def own_fen(self) -> int:
        return sum(part.fen for part in self.own)

    @property
    def cap_fen(self) -> int | None:
        """What the references allow together; None when none of them has a price for this stay."""
        return combined(self.rule, [each.fen for each in self.caps]) if self.caps else None

    @property
    def decisive(self) -> Priced | None:
        """The reference whose fee is the cap; an average is nobody's alone."""
        return next((each for each in self.caps if each.fen == self.cap_fen), None)

    @property
    def before_waiver_fen(self) -> int:
        return self.own_fen if self.cap_fen is None else min(self.own_fen, self.cap_fen)

    @property
    def fee_fen(self) -> int:
        return self.before_waiver_fen - self.waived_fen

    @property
    def is_capped(self) -> bool:
        """Whether the references made the fee lower."""
        return self.before_waiver_fen < self.own_fen

    @property
    def reduction_fen(self) -> int:
        return self.own_fen - self.fee_fen

    @property
    def own_lines(self) -> tuple[Line, ...]:
        """The lines of the own parts one after the other; they add up to `own_fen`."""
        return tuple(line for part in self.own for line in part.quote.lines)

    @property
    def cap_lines(self) -> tuple[Line, ...]:
        """The lines of the reference whose fee is the cap."""
        return () if self.decisive is None else self.decisive.quote.lines


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
