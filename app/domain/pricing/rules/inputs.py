"""What a proof speaks of, exactly: named by a digest, so that nothing else can pass for it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Inputs:
    """A lot's tariff, set of references, rule and calendars, by the ids of rows that never change.

    `references` are (version, tariff), `calendars` (year, version or None while the year is not told), and entries
    are proved from `first_day` to `last_day`.
    """

    lot_id: int
    tariff_id: int
    set_id: int | None
    references: tuple[tuple[int, int], ...]
    rule: str
    calendars: tuple[tuple[int, int | None], ...]
    first_day: date
    last_day: date

    def told(self) -> dict[str, Any]:
        """All of it as plain JSON; the first day is not part of it, since the days behind it prove nothing less."""
        return {
            "lot_id": self.lot_id,
            "set_id": self.set_id,
            "references": [list(each) for each in self.references],
            **self._content(),
        }

    def digest(self) -> bytes:
        """SHA-256 of everything."""
        return _sha256(self.told())

    def content_digest(self) -> bytes:
        """SHA-256 of what decides the outcome: the same for every lot with the same tariffs around it."""
        return _sha256(self._content())

    @property
    def compared(self) -> list[int]:
        """The references' tariffs; each once where the rule only chooses among their fees."""
        ids = [tariff_id for _, tariff_id in self.references]
        return sorted(ids if self.rule == "average" else set(ids))

    def _content(self) -> dict[str, Any]:
        return {
            "tariff_id": self.tariff_id,
            "reference_tariffs": self.compared,
            "rule": self.rule,
            "calendars": [list(each) for each in self.calendars],
            "last_day": self.last_day.isoformat(),
        }


def _sha256(told: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).digest()
