"""Lots as JSON, in parts that outlive a request: most of a row is the same for everybody who asks for the same stay."""

from collections.abc import Sequence
from typing import Any, Final

import orjson

from app.domain.search.queries import Compared, OpenLot
from app.domain.search.rules.board import BoardLot

FACTS: Final = (
    "key", "name", "address", "unit", "state", "shared_bays", "total_chargers", "shared_chargers", "height_limit_cm",
    "length_limit_cm", "announcements", "operator", "movement_curfew",
)  # fmt: skip


def page(rows: Sequence[OpenLot], next_cursor: str | None) -> bytes:
    """A page of lots, as `LotPage` describes it."""
    items = b",".join(row(each, each.distance_m) for each in rows)
    return b'{"items":[%b],"next_cursor":%b}' % (items, orjson.dumps(next_cursor))


def row(shown: OpenLot, distance_m: int | None) -> bytes:
    """One lot, as `ShownLot` describes it."""
    distance = b"null" if distance_m is None else b"%d" % distance_m
    return b'{%b,%b,"distance_m":%b}' % (_facts(shown.lot), _stay(shown.stay), distance)


def _facts(lot: BoardLot) -> bytes:
    known: bytes | None = lot.memo.get("mp")
    if known is None:
        facts = {name: lot.told[name] for name in FACTS}
        place = {"latitude": lot.latitude, "longitude": lot.longitude}
        known = lot.memo["mp"] = _members({**facts, **place})
    return known


def _stay(stay: Compared) -> bytes:
    known: bytes | None = stay.shown.get("mp")
    if known is None:
        today = [{"opens_at": opens_at, "closes_at": closes_at} for opens_at, closes_at in stay.today]
        known = stay.shown["mp"] = _members(
            {
                "open_bays": stay.open_bays, "open_bays_by_kind": stay.bays, "is_open": stay.is_open, "today": today,
                "next_opening": stay.next_opening, "fee_fen": stay.fee_fen,
                "fee_before_cap_fen": stay.fee_before_cap_fen, "price_text": stay.price_text,
                "is_provisional": stay.is_provisional,
            }
        )  # fmt: skip
    return known


def _members(told: dict[str, Any]) -> bytes:
    """An object's members without its braces."""
    return orjson.dumps(told)[1:-1]
