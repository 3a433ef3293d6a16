"""The feed as DATEX II: valid by the schema, and the same city as the GeoJSON."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.domain.lots.models import Bay, Lot
from app.kernel.db import transaction
from tests.open_data.conftest import Put
from tests.open_data.reader import LOTS, STATUS, TABLE, NotValid, body, check, features, places, statuses
from tests.world import open_lot, shanghai


def test_a_table_and_its_status_name_the_same_places_in_the_same_version(
    evening: datetime, client: FlaskClient
) -> None:
    for _ in range(3):
        open_lot()
    table, now = places(client), statuses(client)
    assert set(table) == set(now) == set(features(client))
    assert {each["versionG"] for each in table.values()} == {each["reference"]["versionG"] for each in now.values()}


def test_a_publication_says_who_made_it_and_when_it_changed(evening: datetime, client: FlaskClient) -> None:
    open_lot()
    payload = body(client, STATUS)["payload"]
    publication = payload["prkParkingStatusPublication"]
    assert (payload["modelBaseVersionG"], publication["lang"]) == ("3", "zh")
    assert publication["publicationTime"].startswith("2026-06-10T20:00:")
    assert publication["publicationCreator"] == {"country": "cn", "nationalIdentifier": "hangzhou-shared-parking"}
    assert publication["headerInformation"]["informationStatus"] == {"value": "test"}, "this is no production"
    (table,) = body(client, TABLE)["payload"]["prkParkingTablePublication"]["parkingTable"]
    assert publication["parkingTableReference"] == [{"targetClass": "ParkingTable", "idG": table["idG"]}]


def test_a_place_tells_what_the_lot_has(evening: datetime, client: FlaskClient) -> None:
    lot = open_lot(5, "institution")
    with transaction() as session:
        row = session.get_one(Lot, lot.id)
        row.height_limit_cm, row.total_chargers, row.shared_chargers = 210, 4, 2
        session.query(Bay).filter_by(lot_id=lot.id, number="A001").update({"kind": "accessible"})
    place = places(client)[str(lot.key)]
    (point,) = (each["geometry"]["coordinates"] for each in body(client, LOTS)["features"])
    coordinates = place["locationReference"]["locPointLocation"]["pointByCoordinates"]["pointCoordinates"]
    assert [coordinates["longitude"], coordinates["latitude"]] == point
    assert place["applicableForVehicles"][0]["heightCharacteristic"][0]["vehicleHeight"] == 2.1
    assert place["supplementalFacility"][0]["facSupplementalEquipment"]["quantity"] == 2
    assert place["accessibility"] == [{"value": "disabilityAccessible"}]
    assert place["supply"] == {"quantity": 5, "viewType": {"value": "spaceView"}}
    assert place["owner"]["facOrganisationSpecification"]["type"] == {"value": "publicSector"}
    assert place["rates"] == {"facGeneralRateInformation": {"applicableCurrency": ["CNY"]}}
    assert place["additionalInformation"][0]["values"][0]["value"] == "收费：3元/小时"


def test_the_hours_are_those_of_the_geojson(evening: datetime, client: FlaskClient) -> None:
    lot = open_lot()
    hours = places(client)[str(lot.key)]["operatingHours"]["facOperatingHoursSpecification"]["overallPeriod"]
    assert [(each["startOfPeriod"], each["endOfPeriod"]) for each in hours["validPeriod"]] == [
        (each["opens_at"], each["closes_at"]) for each in features(client)[str(lot.key)]["hours_week"]
    ]
    assert hours["overallStartTime"] == "2026-06-10T00:00:00+08:00"


def occupancy(client: FlaskClient, lot: Lot) -> tuple[str, Any, Any]:
    status = statuses(client)[str(lot.key)]
    return status["openingStatus"]["value"], status.get("status"), status["occupancy"]


def test_vacant_bays_are_told_as_a_number_or_as_few(evening: datetime, client: FlaskClient) -> None:
    many, few = open_lot(4), open_lot(3)
    assert occupancy(client, many) == ("open", [{"value": "spacesAvailable"}], {"numberOfVacantSpaces": 4})
    graded = {"numberOfVacantSpacesGraded": {"value": "onlyAFewSpacesAvailable"}}
    assert occupancy(client, few) == ("open", [{"value": "almostFull"}], graded)
    assert statuses(client)[str(few.key)]["blurredAvailability"] is True


def test_a_shut_lot_has_no_vacant_bays(
    evening: datetime, client: FlaskClient, at: Callable[[datetime], None], put: Put
) -> None:
    closed, suspended = open_lot(9), open_lot(9)
    put(suspended, "suspended")
    at(shanghai("2026-06-11 12:00"))
    none = {"numberOfVacantSpaces": 0, "parkingNotAllowed": True}
    assert occupancy(client, closed) == ("closed", None, none)
    assert occupancy(client, suspended) == ("temporarilyClosed", None, none)
    hours = places(client)[str(suspended.key)]["operatingHours"]
    assert hours == {"facUnknownOperatingHours": {"closureInformation": {"temporarilyClosed": True}}}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda place: place.pop("versionG"),
        lambda place: place.update(type="place"),
        lambda place: place.update(colour="red"),
        lambda place: place.update(rates={"facFreeOfCharge": {}, "facUnknownRates": {}}),
        lambda place: place["parentId"].update(targetClass="prk:Campus"),
        lambda place: place["name"]["values"][0].update(lang="zh-CN"),
        lambda place: place.update(lastUpdated="yesterday"),
    ],
)
def test_the_schema_notices_what_is_not_datex(
    evening: datetime, client: FlaskClient, spoil: Callable[[Any], Any]
) -> None:
    open_lot()
    document = body(client, TABLE)
    (table,) = document["payload"]["prkParkingTablePublication"]["parkingTable"]
    spoil(table["hierarchyElementGeneral"][1]["prkPlace"])
    with pytest.raises(NotValid):
        check(TABLE, document)
