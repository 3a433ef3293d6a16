"""What was said and done, one JSON object a line; no secrets, and plates only as far as needed to follow a car."""

import json
import threading
import time
from pathlib import Path
from typing import Any

PLATES = frozenset({"plate", "plate_raw"})


class Trace:
    """Appends to a file; lines of different gates never mix."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def note(self, gate_id: str, what: str, **details: Any) -> None:
        """Write one line."""
        line = json.dumps({"at": time.time(), "gate": gate_id, "what": what, **masked(details)}, ensure_ascii=False)
        with self._lock:
            if not self._file.closed:
                self._file.write(line + "\n")
                self._file.flush()

    def close(self) -> None:
        """Nothing is written any more."""
        with self._lock:
            self._file.close()


def masked(value: Any) -> Any:
    """The same value with plates reduced to their first two characters."""
    if isinstance(value, dict):
        return {name: _hidden(part) if name in PLATES else masked(part) for name, part in value.items()}
    return [masked(part) for part in value] if isinstance(value, list) else value


def _hidden(plate: Any) -> str:
    return f"{str(plate)[:2]}***"
