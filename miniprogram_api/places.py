"""A lot as it stands beside a reservation or a stay."""

import uuid
from typing import Any, Protocol

import marshmallow as ma


class Place(ma.Schema):
    key = ma.fields.UUID(required=True)
    name = ma.fields.String(required=True)
    address = ma.fields.String(required=True)
    latitude = ma.fields.Float(required=True, metadata={"description": "GCJ-02"})
    longitude = ma.fields.Float(required=True, metadata={"description": "GCJ-02"})


class Lot(Protocol):
    """A lot, or what was read of one."""

    @property
    def key(self) -> uuid.UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def latitude(self) -> float: ...
    @property
    def longitude(self) -> float: ...


def place(lot: Lot) -> dict[str, Any]:
    """Where a lot is and what it is called."""
    return {
        "key": lot.key,
        "name": lot.name,
        "address": lot.address,
        "latitude": lot.latitude,
        "longitude": lot.longitude,
    }
