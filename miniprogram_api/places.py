"""A lot as it stands beside a reservation or a stay."""

from typing import Any

import marshmallow as ma

from app.domain.lots.models import Lot


class Place(ma.Schema):
    key = ma.fields.UUID(required=True)
    name = ma.fields.String(required=True)
    address = ma.fields.String(required=True)
    latitude = ma.fields.Float(required=True, metadata={"description": "GCJ-02"})
    longitude = ma.fields.Float(required=True, metadata={"description": "GCJ-02"})


def place(lot: Lot) -> dict[str, Any]:
    """Where a lot is and what it is called."""
    return {
        "key": lot.key,
        "name": lot.name,
        "address": lot.address,
        "latitude": lot.latitude,
        "longitude": lot.longitude,
    }
