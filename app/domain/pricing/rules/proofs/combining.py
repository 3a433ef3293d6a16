"""How several reference lots combine to one cap: a choice of the city, kept as a policy."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from app.domain.pricing.rules.proofs.steps import Curve, Fen
from app.kernel.refusals import Invalid

RULES: Final[Mapping[str, Callable[[Sequence[int]], int]]] = {
    "lowest": min,
    "highest": max,
    "average": lambda fees: sum(fees) // len(fees),
}
"""Each rule by its name; the average is cut to whole fen, so that rounding never lifts a cap."""

LOWEST: Final = "lowest"


class UnknownCombination(Invalid):
    """There is no such rule for combining reference lots; details: `combine`."""

    code = "unknown_combination"
    message = "没有此种参照停车场取值规则"


def combined(rule: str, fees: Sequence[int]) -> int:
    """The cap in fen out of at least one reference fee. Refuses `UnknownCombination`."""
    if rule not in RULES:
        raise UnknownCombination(combine=rule)
    return RULES[rule](fees)


def combined_curve(rule: str, curves: Sequence[Curve]) -> Curve:
    """The cap of every exit, over the references that have a price for it; None where none has."""
    if len(curves) == 1:
        return curves[0]
    starts = sorted({start for curve in curves for start in curve.starts})
    return Curve(starts, [_cap(rule, [curve.fen_at(start) for curve in curves]) for start in starts])


def _cap(rule: str, told: Sequence[Fen]) -> Fen:
    fees = [fen for fen in told if fen is not None]
    return combined(rule, fees) if fees else None
