"""The lines that are printed."""

import json
from typing import Any


def tell(bench: str, ratio: float, of: str, **numbers: Any) -> None:
    """One JSON line; `of` says in words what is divided by what. More is better."""
    line = {"bench": bench, "ratio": round(ratio, 3), "of": of, **{name: _short(n) for name, n in numbers.items()}}
    print(json.dumps(line, ensure_ascii=False), flush=True)


def _short(number: Any) -> Any:
    return round(number, 1) if isinstance(number, float) else number
