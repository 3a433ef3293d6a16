"""Reads the feeds as a stranger does, and holds them against the schemas."""

import json
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from jsonschema import Draft202012Validator, ValidationError  # type: ignore[import-untyped]
from werkzeug.test import TestResponse

NotValid = ValidationError
"""What `check` raises."""

SCHEMAS = Path(__file__).parent / "schemas"
LOTS = "/open/v1/lots.geojson"
TABLE = "/open/v1/datex2/ParkingTablePublication"
STATUS = "/open/v1/datex2/ParkingStatusPublication"
FEEDS = (LOTS, TABLE, STATUS)
SCHEMA_OF = {LOTS: "geojson", TABLE: "datex2_parking", STATUS: "datex2_parking"}


def read(client: FlaskClient, path: str, **headers: str) -> TestResponse:
    """An answer, whatever it is; `If_None_Match` is the header of that name."""
    response = client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response.get_data()
    return response


def body(client: FlaskClient, path: str) -> Any:
    """What a feed says, valid by its schema."""
    response = read(client, path)
    assert response.status_code == 200, response.get_data(as_text=True)
    document = json.loads(response.get_data())
    check(path.partition("?")[0], document)
    return document


def check(feed: str, document: Any) -> None:
    """Raises unless the document is valid by the feed's schema, formats included."""
    schema = json.loads((SCHEMAS / f"{SCHEMA_OF[feed]}.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(document)


def features(client: FlaskClient, query: str = "") -> dict[str, Any]:
    """The properties of each lot, by id."""
    return {each["id"]: each["properties"] for each in body(client, LOTS + query)["features"]}


def places(client: FlaskClient) -> dict[str, Any]:
    """The table's places, by id."""
    (table,) = body(client, TABLE)["payload"]["prkParkingTablePublication"]["parkingTable"]
    found = [each["prkPlace"] for each in table["hierarchyElementGeneral"] if "prkPlace" in each]
    return {place["idG"]: place for place in found}


def statuses(client: FlaskClient) -> dict[str, Any]:
    """How the places stand, by id."""
    told = body(client, STATUS)["payload"]["prkParkingStatusPublication"]["parkingStatusInformation"]
    found = [each["prkPlaceStatus"] for each in told if "prkPlaceStatus" in each]
    return {status["reference"]["idG"]: status for status in found}
