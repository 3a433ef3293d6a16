"""The feed as DATEX II version 3, namespace Parking, in the JSON encoding of the published schemas.

https://docs.datex2.eu/ - the payload is a `ParkingTablePublication` (what there is) or a `ParkingStatusPublication`
(how it stands). Names with a capital G at the end are the encoding's own: `idG`, `versionG`, `modelBaseVersionG`.
No extension point is used, so that the same bytes are written after the published schemas of 2024 and of 3.7.

All lots hang under one campus, the city: both publications must hold at least one element, lots or not.
"""

from datetime import datetime
from typing import Any

from app.api.open.facts import Edition, Entry, Organisation, PublicLot, Standing
from app.kernel.clock import shanghai

MODEL = {"versionG": "3.7", "modelBaseVersionG": "3"}
LANGUAGE = "zh"
COUNTRY = "cn"
TABLE = "gongbo-shared-parking"
CITY = "330100"
CITY_VERSION = "1"
LONGEST_TEXT = 1024
"""What a `MultilingualStringValue` may hold."""
_PUBLIC_SECTOR = ("organ", "institution")

Element = dict[str, Any]


def table_city() -> Element:
    """The campus to which all places belong."""
    city = {"idG": CITY, "versionG": CITY_VERSION, "layer": 0, "type": _word("campus"), "name": _text("杭州市")}
    return {"prkCampus": city}


def place(entry: Entry, edition: Edition) -> Element:
    """One lot of the table."""
    lot = entry.lot
    described = {
        "idG": str(lot.key),
        "versionG": lot.version,
        "layer": 1,
        "type": _word("place"),
        "parentId": _reference("FacilityObject", CITY, CITY_VERSION),
        "name": _text(lot.name),
        "description": _text(f"{lot.district} {lot.address}"),
        "additionalInformation": [_text(told) for told in _told(lot, edition)],
        "operatingHours": _operating_hours(lot, edition),
        "locationReference": _point(lot),
        "owner": _organisation(lot.unit),
        "rates": _rates(lot),
        "supply": {"quantity": lot.shared_bays, "viewType": _word("spaceView")},
    }
    return {"prkPlace": described | _where_known(lot)}


def _where_known(lot: PublicLot) -> Element:
    known: Element = {}
    if lot.updated_at is not None:
        known["lastUpdated"] = _moment(lot.updated_at)
    if lot.operator is not None:
        known["operator"] = _organisation(lot.operator)
    if lot.accessible_bays:
        known["accessibility"] = [_word("disabilityAccessible")]
    if lot.shared_chargers:
        known["supplementalFacility"] = [_chargers(lot)]
    if lot.height_limit_cm is not None:
        known["applicableForVehicles"] = [_not_higher_than(lot.height_limit_cm)]
    return known


def _told(lot: PublicLot, edition: Edition) -> list[str]:
    """What the model has no place for, in words."""
    told = [f"收费：{lot.price_text or '尚未公布'}"]
    if lot.accessible_bays:
        told.append(f"无障碍泊位：{lot.accessible_bays} 个")
    told += [
        f"临时关闭：{_day(begin)}{f'至{_day(end)}' if end else '起，重新开放时间另行公告'}"
        for begin, end in lot.closures
    ]
    told += [f"公告（{_span(notice.begins_at, notice.ends_at)}）：{notice.text}" for notice in lot.notices]
    if edition.provisional:
        told.append("部分日期的开放时间为暂定")
    return told


def _span(begin: datetime, end: datetime | None) -> str:
    return f"{_day(begin)}{f'至{_day(end)}' if end else '起，结束时间另行公告'}"


def _day(at: datetime) -> str:
    return f"{shanghai(at):%m月%d日%H:%M}"


def _operating_hours(lot: PublicLot, edition: Edition) -> Element:
    """The open spans of the coming seven days; a period without any would mean always."""
    if not lot.week:
        return {"facUnknownOperatingHours": {"closureInformation": {"temporarilyClosed": True}}}
    begin, end = edition.week
    periods = [{"startOfPeriod": _moment(opens), "endOfPeriod": _moment(closes)} for opens, closes in lot.week]
    overall = {"overallStartTime": _moment(begin), "overallEndTime": _moment(end), "validPeriod": periods}
    return {
        "facOperatingHoursSpecification": {
            "idG": f"{lot.key}-hours",
            "versionG": lot.version,
            "overallPeriod": overall,
        }
    }


def _point(lot: PublicLot) -> Element:
    coordinates = {"latitude": lot.latitude, "longitude": lot.longitude}
    return {
        "locPointLocation": {
            "coordinatesForDisplay": coordinates,
            "pointByCoordinates": {"pointCoordinates": coordinates},
        }
    }


def _organisation(of: Organisation) -> Element:
    contact = {"contactInformation": [{"facContactInformation": {"telephoneNumber": of.phone}}]} if of.phone else {}
    sector = {"type": _word("publicSector")} if of.kind in _PUBLIC_SECTOR else {}
    return {
        "facOrganisationSpecification": {
            "idG": str(of.key),
            "versionG": "1",
            "name": _text(of.name),
            **sector,
            "organisationUnit": [{"name": _text(of.name), **contact}],
        }
    }


def _rates(lot: PublicLot) -> Element:
    if lot.is_free_of_charge is None:
        return {"facUnknownRates": {}}
    kind = "facFreeOfCharge" if lot.is_free_of_charge else "facGeneralRateInformation"
    return {kind: {"applicableCurrency": ["CNY"]}}


def _chargers(lot: PublicLot) -> Element:
    equipment = {
        "idG": f"{lot.key}-chargers",
        "versionG": lot.version,
        "equipmentType": _word("electricChargingStation"),
        "quantity": lot.shared_chargers,
    }
    return {"facSupplementalEquipment": equipment}


def _not_higher_than(height_cm: int) -> Element:
    limit = {"comparisonOperator": _word("lessThanOrEqualTo"), "vehicleHeight": height_cm / 100}
    return {"heightCharacteristic": [limit]}


def status_city() -> Element:
    """That the campus has no state of its own."""
    campus = {"reference": _reference("FacilityObject", CITY, CITY_VERSION), "status": _word("unknown")}
    return {"prkCampusStatus": campus}


def place_status(entry: Entry, edition: Edition) -> Element:
    """How one lot stands; bays are vacant only while it is open."""
    del edition
    now = entry.now
    status = {
        "reference": _reference("FacilityObject", str(entry.lot.key), entry.lot.version),
        "openingStatus": _word({"open": "open", "closed": "closed", "suspended": "temporarilyClosed"}[now.status]),
        "regularOperatingHoursInForce": not now.is_suspended,
        **({"lastUpdated": _moment(now.counted_at)} if now.counted_at else {}),
        **_vacancy(now),
    }
    return {"prkPlaceStatus": status}


def _vacancy(now: Standing) -> Element:
    if now.status != "open":
        return {"occupancy": {"numberOfVacantSpaces": 0, "parkingNotAllowed": True}}
    if now.free_bays is None:
        return {"status": [_word("unknown")], "parkingFault": [_word("noParkingInformationAvailable")]}
    if now.free_bays == "few":
        graded = {"numberOfVacantSpacesGraded": _word("onlyAFewSpacesAvailable")}
        return {"status": [_word("almostFull")], "blurredAvailability": True, "occupancy": graded}
    return {"status": [_word("spacesAvailable")], "occupancy": {"numberOfVacantSpaces": now.free_bays}}


def publication(edition: Edition, changed_at: datetime, feed: str) -> Element:
    """What every publication says of itself."""
    return {
        "lang": LANGUAGE,
        "feedType": feed,
        "feedDescription": _text(f"杭州市机关事业单位和国有企业共享停车。数据许可：{edition.licence}"),
        "publicationTime": _moment(changed_at),
        "publicationCreator": _creator(edition),
        "headerInformation": {
            "confidentiality": _word("noRestriction"),
            "informationStatus": _word("real" if edition.is_real else "test"),
        },
    }


def table_itself(edition: Edition, changed_at: datetime) -> Element:
    """The table's own name and version, beside its elements."""
    return {
        "idG": TABLE,
        "versionG": f"{changed_at:%Y%m%dT%H%M%SZ}",
        "versionTime": _moment(changed_at),
        "name": _text("共享停车场"),
        "informationManager": _creator(edition),
    }


def table_reference() -> list[Element]:
    """That a status is of this table."""
    return [{"targetClass": "ParkingTable", "idG": TABLE}]


def _creator(edition: Edition) -> Element:
    return {"country": COUNTRY, "nationalIdentifier": edition.publisher}


def _reference(target: str, id_: str, version: str) -> Element:
    return {"targetClass": target, "idG": id_, "versionG": version}


def _text(chinese: str) -> Element:
    return {"values": [{"lang": LANGUAGE, "value": chinese[:LONGEST_TEXT]}]}


def _word(value: str) -> Element:
    return {"value": value}


def _moment(at: datetime) -> str:
    return shanghai(at).isoformat(timespec="seconds")
