"""Tariffs of Hangzhou as they were published, one file each, with their sources; the sample city refers to them.

Their numbers come from press and reposted texts: check them against the price bureau's documents before use.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True)
class PublishedTariff:
    """One published tariff: what it is called, where it stands, its wording and its parameters."""

    id: str
    lot_or_zone: str
    document: str
    source_urls: tuple[str, ...]
    status: str
    rule_text: str
    parameters: dict[str, Any]


def names() -> list[str]:
    """The ids of all published tariffs that are kept here."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read(name: str) -> PublishedTariff:
    """One published tariff by its id; raises FileNotFoundError for a name that is not kept."""
    told = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return PublishedTariff(
        told["id"],
        told["lot_or_zone"],
        told["document"],
        tuple(told["source_urls"]),
        told["status"],
        told["rule_text"],
        told["parameters"],
    )
