"""What a partner's description of a lot would change."""

from collections.abc import Mapping
from typing import Any

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
