"""The feed as GeoJSON (RFC 7946): WGS-84, longitude first; links and the like are foreign members (§6.1)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.api.open.facts import Edition, Entry, Notice, Spans
from app.kernel.clock import shanghai

ONE_DAY = timedelta(days=1)


def feature(entry: Entry, edition: Edition) -> dict[str, Any]:
    """One lot as a Feature whose id is its key."""
    lot = entry.lot
    return {
        "type": "Feature",
        "id": str(lot.key),
        "geometry": {"type": "Point", "coordinates": [lot.longitude, lot.latitude]},
        "properties": _properties(entry, edition),
    }


def _properties(entry: Entry, edition: Edition) -> dict[str, Any]:
    lot, now = entry.lot, entry.now
    midnight = edition.week[0]
    return {
        "id": str(lot.key),
        "name": lot.name,
        "address": lot.address,
        "unit": lot.unit.name,
        "kind": lot.unit.kind,
        "operator": lot.operator.name if lot.operator else None,
        "operator_phone": lot.operator.phone if lot.operator else None,
        "district": lot.district,
        "district_code": lot.district_code,
        "status": now.status,
        "hours_today": _hours(_cut(lot.week, midnight, midnight + ONE_DAY)),
        "hours_week": _hours(lot.week),
        "provisional": bool(edition.provisional),
        "closures": [
            {"begins_at": shanghai(begin), "ends_at": shanghai(end) if end else None} for begin, end in lot.closures
        ],
        "announcements": [_announcement(notice) for notice in lot.notices],
        "tariff": lot.price_text,
        "free_of_charge": lot.is_free_of_charge,
        "shared_bays": lot.shared_bays,
        "chargers": lot.shared_chargers,
        "accessible_bays": lot.accessible_bays,
        "height_limit_cm": lot.height_limit_cm,
        "free_bays": now.free_bays,
        "counted_at": shanghai(now.counted_at) if now.counted_at else None,
        "updated_at": shanghai(lot.updated_at) if lot.updated_at else None,
    }


def _announcement(notice: Notice) -> dict[str, Any]:
    begins_at, ends_at = shanghai(notice.begins_at), shanghai(notice.ends_at) if notice.ends_at else None
    return {"kind": notice.kind, "text": notice.text, "begins_at": begins_at, "ends_at": ends_at}


def _hours(spans: Spans) -> list[dict[str, datetime]]:
    return [{"opens_at": shanghai(opens_at), "closes_at": shanghai(closes_at)} for opens_at, closes_at in spans]


def _cut(spans: Spans, begin: datetime, end: datetime) -> Spans:
    return tuple(
        (max(opens_at, begin), min(closes_at, end))
        for opens_at, closes_at in spans
        if opens_at < end and closes_at > begin
    )


def frame(edition: Edition, changed_at: datetime, links: Sequence[Mapping[str, str]], returned: int) -> dict[str, Any]:
    """What stands beside the features."""
    return {
        "links": links,
        "numberReturned": returned,
        "updated_at": shanghai(changed_at),
        "provisional_dates": edition.provisional,
        "publisher": edition.publisher,
        "licence": edition.licence,
    }
