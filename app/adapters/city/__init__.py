"""The city's own parking system (全市停车信息统一系统, N3.1): what it is told, and what it answers."""

from app.adapters.city.client import CityAccount, CitySystem
from app.adapters.city.keys import UnusableCityKey, read_private_key, read_public_key
from app.adapters.city.outcomes import Accepted, Barred, Outcome, Refused, Unknown
from app.adapters.city.records import Arrival, Berths, Departure, Heartbeat, LotDescription, LotState, Record, wire_time

__all__ = [
    "Accepted",
    "Arrival",
    "Barred",
    "Berths",
    "CityAccount",
    "CitySystem",
    "Departure",
    "Heartbeat",
    "LotDescription",
    "LotState",
    "Outcome",
    "Record",
    "Refused",
    "Unknown",
    "UnusableCityKey",
    "read_private_key",
    "read_public_key",
    "wire_time",
]
