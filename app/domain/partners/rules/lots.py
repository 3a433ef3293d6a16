"""What a partner's description of a lot would change, and what could not be."""

from collections.abc import Mapping
from typing import Any

from app.kernel.refusals import Invalid


class LotNumbersDoNotAddUp(Invalid):
    """More chargers would be shared than there are, or fewer bays be there than are shared."""

    code = "lot_numbers_do_not_add_up"
    message = "共享数量超过总数，请核对泊位与充电设施数量"


class OutsideHangzhou(Invalid):
    """The point lies outside the city; was the right datum named?"""

    code = "lot_outside_hangzhou"
    message = "坐标不在杭州市范围内，请核对经纬度与坐标系"


SAME_DEGREES = 1e-5
"""About a metre: two points so near are the same point."""


def differing(found: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that would change, with their new values. A point changes as a whole, by a metre or more."""
    changes = {column: value for column, value in told.items() if not _same(found[column], value)}
    moved = {"latitude", "longitude"} & changes.keys()
    return changes | {column: told[column] for column in ("latitude", "longitude") if moved and column in told}


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, float) and isinstance(after, float):
        return abs(before - after) <= SAME_DEGREES
    return bool(before == after)


def refuse_impossible(known: Mapping[str, Any], told: Mapping[str, Any], shared_bays: int) -> None:
    """Refuses `OutsideHangzhou` and `LotNumbersDoNotAddUp` for a lot that could not be, whoever agreed to it."""
    whole = {**known, **told}
    if not (29 <= whole["latitude"] <= 31 and 118 <= whole["longitude"] <= 121):  # noqa: PLR2004 - Hangzhou
        raise OutsideHangzhou
    if whole["shared_chargers"] > whole["total_chargers"] or whole["total_bays"] < shared_bays:
        raise LotNumbersDoNotAddUp(shared_bays=shared_bays)
