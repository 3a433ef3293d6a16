"""The forms in which the feed is written: how an answer begins, one element, and how it ends.

What is known only at the end - how many, when the content changed - stands at the end; JSON's members have no order.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from app.api.open import datex, geojson
from app.api.open.facts import Edition, Entry

Links = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Ending:
    """What an answer knows when all its elements are written; `changed_at` is when this content was first seen."""

    edition: Edition
    changed_at: datetime
    links: Links
    returned: int


@dataclass(frozen=True)
class Form:
    """One way of writing. `said_of` are the facts that this form tells: only they make its content another one."""

    name: str
    media_type: str
    said_of: Callable[[Entry], Any]
    opening: bytes
    always_first: Mapping[str, Any] | None
    element: Callable[[Entry, Edition], Mapping[str, Any]]
    closing: Callable[[Ending], bytes]


def _rest(members: Mapping[str, Any]) -> bytes:
    """The members of an object that is already open, and its end."""
    return orjson.dumps(members)[1:]


def _payload(publication: str, members: str) -> bytes:
    model = ",".join(f'"{name}":"{version}"' for name, version in datex.MODEL.items())
    return f'{{"payload":{{{model},"{publication}":{{{members}'.encode()


def _end_of_features(ending: Ending) -> bytes:
    return b"]," + _rest(geojson.frame(ending.edition, ending.changed_at, ending.links, ending.returned))


def _end_of_table(ending: Ending) -> bytes:
    table = _rest(datex.table_itself(ending.edition, ending.changed_at))
    publication = _rest(datex.publication(ending.edition, ending.changed_at, "parkingTable"))
    return b"]," + table + b"]," + publication + b"}}"


def _end_of_status(ending: Ending) -> bytes:
    publication = datex.publication(ending.edition, ending.changed_at, "parkingStatus")
    return b"]," + _rest(publication | {"parkingTableReference": datex.table_reference()}) + b"}}"


FEATURES = Form(
    name="geojson",
    media_type="application/geo+json",
    said_of=lambda entry: entry,
    opening=b'{"type":"FeatureCollection","features":[',
    always_first=None,
    element=geojson.feature,
    closing=_end_of_features,
)
PARKING_TABLE = Form(
    name="datex2-table",
    media_type="application/json",
    said_of=lambda entry: entry.lot,
    opening=_payload("prkParkingTablePublication", '"parkingTable":[{"hierarchyElementGeneral":['),
    always_first=datex.table_city(),
    element=datex.place,
    closing=_end_of_table,
)
PARKING_STATUS = Form(
    name="datex2-status",
    media_type="application/json",
    said_of=lambda entry: (entry.lot.key, entry.lot.version, entry.now),
    opening=_payload("prkParkingStatusPublication", '"parkingStatusInformation":['),
    always_first=datex.status_city(),
    element=datex.place_status,
    closing=_end_of_status,
)
