"""Lots as JSON, in parts that outlive a request: most of a row is the same for everybody who asks for the same stay."""

from collections.abc import Sequence
from typing import Any, Final

import orjson

from app.domain.search.queries import Bays, Hours, OpenLot, Part, Price
from app.domain.search.rules.board import BoardLot

DOOR: Final = "mp"
FACTS: Final = (
    "key", "name", "address", "unit", "state", "shared_bays", "total_chargers", "shared_chargers", "height_limit_cm",
    "length_limit_cm", "announcements", "operator", "movement_curfew",
)  # fmt: skip


def page(rows: Sequence[OpenLot], next_cursor: str | None) -> bytes:
    """A page of lots, as `LotPage` describes it."""
    items = b",".join([row(each, b"%d" % each.distance_m) for each in rows])
    return b'{"items":[%b],"next_cursor":%b}' % (items, orjson.dumps(next_cursor))


def row(shown: OpenLot, distance_m: bytes = b"null") -> bytes:
    """One lot, as `ShownLot` describes it."""
    _, lot, bays, hours, price = shown
    return b'{%b,%b,%b,%b,"distance_m":%b}' % (
        lot.memo.get(DOOR) or _facts(lot),
        hours.shown.get(DOOR) or _hours(hours),
        bays.shown.get(DOOR) or _bays(bays),
        price.shown.get(DOOR) or _price(price),
        distance_m,
    )


def _facts(lot: BoardLot) -> bytes:
    facts = {name: lot.told[name] for name in FACTS}
    lot.memo[DOOR] = said = _members({**facts, "latitude": lot.latitude, "longitude": lot.longitude})
    return said


def _hours(hours: Hours) -> bytes:
    today = [{"opens_at": opens_at, "closes_at": closes_at} for opens_at, closes_at in hours.today]
    told = {"is_open": hours.is_open, "next_opening": hours.next_opening, "is_provisional": hours.is_provisional}
    return _kept(hours, {**told, "today": today})


def _bays(bays: Bays) -> bytes:
    return _kept(bays, {"open_bays": bays.for_any_car, "open_bays_by_kind": bays.by_kind})


def _price(price: Price) -> bytes:
    told = {"fee_fen": price.fee_fen, "fee_before_cap_fen": price.before_cap_fen, "price_text": price.text}
    return _kept(price, told)


def _kept(part: Part, told: dict[str, Any]) -> bytes:
    part.shown[DOOR] = said = _members(told)
    return said


def _members(told: dict[str, Any]) -> bytes:
    """An object's members without its braces."""
    return orjson.dumps(told)[1:-1]
