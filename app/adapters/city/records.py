"""The records of the interface (docs/city-feed.md), each with its fields as they lie on the wire.

Moments are aware here and become `yyyy-MM-dd HH:mm:ss` in Hangzhou on the wire; points are GCJ-02 degrees.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

HANGZHOU = ZoneInfo("Asia/Shanghai")
SHARED_PARKING = 3
"""`parkingType` of a visit: 1 临停, 2 包月, 3 共享停车, 4 特殊."""


def wire_time(at: datetime) -> str:
    """The moment on the clocks of Hangzhou, to the second."""
    return at.astimezone(HANGZHOU).strftime("%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True)
class Berths:
    """Absolute counters of a lot: all bays, those shared with the public, and those free now."""

    total: int
    open: int
    free: int

    def wire(self) -> dict[str, Any]:
        return {"totalBerthNum": self.total, "openBerthNum": self.open, "freeBerthNum": self.free}


@dataclass(frozen=True)
class LotDescription:
    """uploadParkingInfo (停车场信息): what a lot is. Prices: 1 government's, 2 the market's, 3 free."""

    parking_code: str
    name: str
    address: str
    region_code: str
    price_type: int
    fee_scale: str
    open_time: str
    attached_type: str
    total_bays: int
    shared_bays: int
    chargers: int
    latitude: float
    longitude: float
    baidu_latitude: float
    baidu_longitude: float

    path = "/api/v2/cp/uploadParkingInfo"

    def wire(self) -> dict[str, Any]:
        """Self-parking (1 自行), off the street (1 路外), belonging to a building (1 配建)."""
        return {
            "parkingCode": self.parking_code, "parkingName": self.name, "address": self.address,
            "regionCode": self.region_code, "areaCode": self.region_code, "priceType": self.price_type,
            "feeScale": self.fee_scale, "openTime": self.open_time, "parkingPattern": 1, "parkingLocate": 1,
            "parkingType": 1, "attachedType": self.attached_type, "totalBerthNum": self.total_bays,
            "openBerthNum": self.shared_bays, "bmapX": degrees(self.baidu_longitude),
            "bmapY": degrees(self.baidu_latitude), "gmapX": degrees(self.longitude), "gmapY": degrees(self.latitude),
            "tempTotalNum": self.shared_bays, "intrinsicTotalNum": self.total_bays - self.shared_bays,
            "visitorTotalNum": 0, "chargeTotalNum": self.chargers,
        }  # fmt: skip


def degrees(value: float) -> str:
    """Six decimals: a tenth of a metre."""
    return f"{value:.6f}"


@dataclass(frozen=True)
class Arrival:
    """uploadCarInData (入场). `plate_colour` is the city's code, `car_type` 1 small, 2 medium, 3 large."""

    uid: str
    arrival_id: str
    plate: str = field(repr=False)
    plate_colour: str
    car_type: int
    parking_code: str
    entry_number: str
    berths: Berths
    arrived_at: datetime

    path = "/api/v2/cp/uploadCarInData"

    def wire(self) -> dict[str, Any]:
        return {
            "uid": self.uid, "arriveID": self.arrival_id, "plateNo": self.plate, "plateColor": self.plate_colour,
            "carType": self.car_type, "parkingCode": self.parking_code, "entryNum": self.entry_number,
            **self.berths.wire(), "arriveTime": wire_time(self.arrived_at), "parkingType": SHARED_PARKING,
        }  # fmt: skip


@dataclass(frozen=True)
class Departure:
    """uploadCarOutData (出场): the visit's `uid` again, when and where it ended, and its money in fen.

    `should_pay_fen` is the fee, `charged_fen` what was paid of it so far.
    """

    arrival: Arrival
    departure_id: str
    left_at: datetime
    exit_number: str
    should_pay_fen: int
    charged_fen: int

    path = "/api/v2/cp/uploadCarOutData"

    def wire(self) -> dict[str, Any]:
        return self.arrival.wire() | {
            "endID": self.departure_id, "endTime": wire_time(self.left_at), "outNum": self.exit_number,
            "chargeFee": self.charged_fen, "shouldPay": self.should_pay_fen,
        }  # fmt: skip


@dataclass(frozen=True)
class LotState:
    """uploadParkingState (停车场空闲状态): absolute counters, documented for the time after a reconnection."""

    parking_code: str
    berths: Berths

    path = "/api/v2/cp/uploadParkingState"

    def wire(self) -> dict[str, Any]:
        return {"parkingCode": self.parking_code, **self.berths.wire()}


@dataclass(frozen=True)
class Heartbeat:
    """uploadHeartbeat (心跳): a lot is connected."""

    parking_code: str

    path = "/api/v2/tcjg/uploadHeartbeat"

    def wire(self) -> dict[str, Any]:
        return {"parkingCode": self.parking_code}


Record = LotDescription | Arrival | Departure | LotState | Heartbeat
