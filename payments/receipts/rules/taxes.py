"""VAT within a price that includes it."""

from app.kernel.money import Fen

WHOLE = 10_000
"""Basis points of one: 9 % are 900."""


def tax_within(gross_fen: Fen, basis_points: int) -> Fen:
    """The tax in a gross price, half a fen upwards: 9.00 yuan at 9 % are 8.26 and 0.74."""
    divisor = WHOLE + basis_points
    return (2 * gross_fen * basis_points + divisor) // (2 * divisor)
