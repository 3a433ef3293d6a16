"""A motorist with the mini-program: only what the public interface offers."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from demo.clock import PlatformClock
from demo.patience import DemoFailed, awaited
from demo.thumb import Thumb
from demo.wire import Answer, Wire, granted

PREFIX = "/mp/v1"
FRESH_FOR = timedelta(seconds=30)
"""An access token that ends sooner than this is renewed before it is used."""

Shown = Mapping[str, Any]


class Motorist:
    """One phone: it signs in, keeps its tokens, and repeats nothing without the same key."""

    def __init__(self, platform: Wire, thumb: Thumb, clock: PlatformClock) -> None:
        self._platform, self._clock = platform, clock
        self.thumb = thumb
        self._session: Shown = {}
        self._ends_at = datetime.min.replace(tzinfo=clock.now().tzinfo)

    def sign_in(self) -> None:
        """`wx.login`, and our own session for its code."""
        self._keep(self._told("/sessions", {"code": self.thumb.login_code()}))

    def sign_agreement(self) -> Shown:
        """Read the agreement in force and sign that very version."""
        version = self.see("/agreement")["version"]
        return self.do("/agreement/signatures", {"version": version, "device": {"system": "demo"}})

    def add_vehicle(self, plate: str) -> str:
        """The key of a vehicle with this blue plate."""
        return str(self.do("/vehicles", {"plate": plate, "colour": "blue"})["key"])

    def look_at(self, lot_key: str, point: tuple[float, float], begins_at: datetime, ends_at: datetime) -> Shown:
        """The lot as a search around a point (GCJ-02 latitude, longitude) shows it for a span."""
        where = {"lat": point[0], "lng": point[1]}
        span = {"begins_at": begins_at.isoformat(), "ends_at": ends_at.isoformat()}
        for lot in self.see("/lots", where | span)["items"]:
            if lot["key"] == lot_key:
                found: Shown = lot
                return found
        raise DemoFailed("the search does not show the lot")

    def try_to_reserve(self, lot_key: str, vehicle_key: str, begins_at: datetime, ends_at: datetime) -> Answer:
        """Ask for a bay and take any answer."""
        wish = {"lot_key": lot_key, "vehicle_key": vehicle_key}
        return self.ask("POST", "/reservations", wish | _span(begins_at, ends_at))

    def reserve(self, lot_key: str, vehicle_key: str, begins_at: datetime, ends_at: datetime) -> Shown:
        """The reservation, confirmed at once."""
        made: Shown = granted("reserving", self.try_to_reserve(lot_key, vehicle_key, begins_at, ends_at))
        return made

    def cancel(self, reservation: Shown) -> Shown:
        """Give the bay back."""
        return self.do(f"/reservations/{reservation['key']}/cancellation", None)

    def current_stay(self) -> Shown | None:
        """Where the car stands, and what that costs up to now."""
        stay: Shown | None = self.see("/stays/current")["stay"]
        return stay

    def stay_that_began(self) -> Shown:
        """The same, as soon as the passage is known."""
        return awaited("the stay has begun", self.current_stay)

    def adopt(self, code: str) -> Shown:
        """The stay of the car before the barrier whose screen was scanned."""
        return self.do("/stays/adoptions", {"code": code})

    def stay(self, key: str) -> Shown:
        """One stay with its fee."""
        stay: Shown = self.see(f"/stays/{key}")
        return stay

    def stay_once(self, key: str, state: str) -> Shown:
        """The same, as soon as it is in a state."""
        return awaited(f"the stay is {state}", lambda: found if (found := self.stay(key))["state"] == state else None)

    def ask_to_pay(self, stay_key: str) -> Shown:
        """The charge, and what `wx.requestPayment` wants."""
        return self.do(f"/stays/{stay_key}/payment", None)

    def has_paid(self, prepared: Shown) -> bool:
        """What the platform knows; the cashier's word does not count."""
        return self.see(f"/payments/{prepared['charge']['key']}")["state"] in {"paid", "fulfilled"}

    def receipts(self) -> list[Shown]:
        """The receipts that this motorist is owed."""
        return list(self.see("/receipts")["items"])

    def see(self, path: str, query: Shown | None = None) -> Any:
        """Read something that must be there."""
        return granted(f"GET {path}", self.ask("GET", path, query=query))

    def do(self, path: str, wish: Shown | None) -> Shown:
        """Do something that must be granted."""
        done: Shown = granted(f"POST {path}", self.ask("POST", path, wish))
        return done

    def ask(self, method: str, path: str, wish: Shown | None = None, query: Shown | None = None) -> Answer:
        """Ask as oneself and take any answer; what moves something has a key of its own."""
        if self._ends_at - self._clock.now() < FRESH_FOR:
            self._keep(self._told("/sessions/refresh", {"refresh_token": self._session["refresh_token"]}))
        headers = {"Authorization": f"Bearer {self._session['access_token']}"}
        if method == "POST":
            headers["Idempotency-Key"] = uuid.uuid4().hex
        return self._platform.ask(method, PREFIX + path, wish, query=query, headers=headers)

    def _told(self, path: str, wish: Shown) -> Shown:
        told: Shown = granted(f"POST {path}", self._platform.ask("POST", PREFIX + path, wish))
        return told

    def _keep(self, session: Shown) -> None:
        self._session = session
        self._ends_at = self._clock.now() + timedelta(seconds=session["expires_in"])


def _span(begins_at: datetime, ends_at: datetime) -> dict[str, str]:
    return {"begins_at": begins_at.isoformat(), "ends_at": ends_at.isoformat()}
