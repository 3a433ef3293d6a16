"""What makes up a fee: charges, and blocks of them that may hold again at another time."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from app.domain.pricing.rules.methods import Run
from app.domain.pricing.rules.parts import Band
from app.domain.pricing.rules.pieces import Piece
from app.domain.pricing.rules.spans import Span


class Charge(NamedTuple):
    """One line of a quote before it is put into words; `figure` is the number that its rule speaks of."""

    rule: str
    span: Span
    amount_fen: int
    band: Band | None = None
    runs: tuple[Run, ...] = ()
    figure: int = 0

    def moved(self, by_s: int) -> "Charge":
        """The same so many seconds later."""
        begin, end = self.span
        return self._replace(span=Span(begin + by_s, end + by_s))


class Block(NamedTuple):
    """Charges and priced pieces that follow each other, and what they make together.

    They hold so many seconds later than they say. A piece becomes charges when somebody looks.
    """

    items: Sequence[Charge | Piece]
    total_fen: int
    later_s: int = 0

    @classmethod
    def of(cls, *charges: Charge) -> "Block":
        """Charges at the time that they say."""
        return cls(charges, sum(charge.amount_fen for charge in charges))

    @classmethod
    def of_pieces(cls, pieces: Sequence[Piece], free: Sequence[Charge]) -> "Block":
        """What is charged in a period, and before it the spans that are free."""
        return cls([*free, *pieces] if free else pieces, sum([piece.price.fen for piece in pieces]))

    def moved(self, by_s: int) -> "Block":
        """The same so many seconds later than it was first made."""
        return Block(self.items, self.total_fen, by_s)

    def with_charge(self, charge: Charge) -> "Block":
        """The same and one charge more, at the time that it says."""
        return Block((*self.items, charge.moved(-self.later_s)), self.total_fen + charge.amount_fen, self.later_s)

    def charges(self) -> Iterator[Charge]:
        """The charges when they hold."""
        for item in self.items:
            for charge in [item] if isinstance(item, Charge) else _charges_of(item):
                yield charge.moved(self.later_s)


def total_fen(blocks: Iterable[Block]) -> int:
    """What blocks make together."""
    return sum([block.total_fen for block in blocks])


def _charges_of(piece: Piece) -> Iterator[Charge]:
    """The price of a piece, what the band's cap takes off it, and what the vehicle's factor makes of that."""
    band, span, price = piece
    yield Charge("band", span, price.full_fen, band, price.runs)
    if price.capped_fen != price.full_fen:
        yield Charge("band_cap", span, price.capped_fen - price.full_fen, band, figure=price.capped_fen)
    if price.fen != price.capped_fen:
        yield Charge("vehicle_factor", span, price.fen - price.capped_fen, band, figure=price.permille)
