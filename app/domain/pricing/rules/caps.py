"""The fee that is asked: a lot's own, but never above the surrounding government-priced lots (N3.3)."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.pricing.rules.quotes import Quote


@dataclass(frozen=True)
class BilledFee:
    """The lot's own quote, the cheapest reference quote for the same stay, and the lower of both in fen."""

    own: Quote
    reference: Quote | None

    @property
    def fee_fen(self) -> int:
        return self.own.total_fen if self.reference is None else min(self.own.total_fen, self.reference.total_fen)

    @property
    def is_capped(self) -> bool:
        """Whether the references made the fee lower."""
        return self.fee_fen < self.own.total_fen

    @property
    def reduction_fen(self) -> int:
        return self.own.total_fen - self.fee_fen


def capped(own: Quote, references: Sequence[Quote]) -> BilledFee:
    """Totals are compared, for the very stay: free minutes, tails and caps differ, so single rates prove nothing."""
    return BilledFee(own, min(references, key=lambda quote: quote.total_fen, default=None))
