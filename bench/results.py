"""The lines that are printed."""

import json
from collections.abc import Mapping
from typing import Any

A_TENTH = 0.1


def tell(bench: str, figures: Mapping[str, float], of: str, **numbers: Any) -> None:
    """One JSON line; `figures` are what is promised, `of` says in words what they are, `numbers` stand beside."""
    exact = {name: round(figure, 3 if figure >= A_TENTH else 6) for name, figure in figures.items()}
    line = {"bench": bench, **exact, "of": of, **{name: _short(n) for name, n in numbers.items()}}
    print(json.dumps(line, ensure_ascii=False), flush=True)


def _short(number: Any) -> Any:
    return round(number, 1) if isinstance(number, float) else number
