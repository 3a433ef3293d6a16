"""What the city knows: lots, visits by their uid, the last counters and heartbeats, and every upload it took."""

import json
from pathlib import Path
from threading import Lock
from typing import Any

from simulators.city.answers import Rejection
from simulators.clock import Clock

UNKNOWN_LOT, UNKNOWN_VISIT, BEFORE_ARRIVAL, FROM_THE_FUTURE = 1002, 1003, 1004, 1005
AHEAD_SECONDS = 300
Fields = dict[str, Any]
PARTS = ("lots", "arrivals", "departures", "states", "heartbeats", "taken")


class Register:
    """Telling the same visit twice changes nothing; `taken` shows the order in which news was taken."""

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self._clock = clock
        self._path = path
        self._lock = Lock()
        self._book: dict[str, Any] = {name: {} for name in PARTS} | {"taken": []}
        if path is not None and path.exists():
            self._book = json.loads(path.read_text())

    def book(self) -> Fields:
        """Everything, for tests."""
        with self._lock:
            copy: Fields = json.loads(json.dumps(self._book))
            return copy

    def clear(self) -> None:
        with self._lock:
            self._book = {name: {} for name in PARTS} | {"taken": []}

    def save(self) -> None:
        """Keeps the book for the next start."""
        if self._path is not None:
            draft = self._path.with_suffix(".draft")
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(self._book, ensure_ascii=False))
            draft.replace(self._path)

    def take_lot(self, fields: Fields) -> None:
        with self._lock:
            self._book["lots"][fields["parkingCode"]] = fields
            self._note("lot", fields["parkingCode"])

    def take_arrival(self, fields: Fields) -> None:
        with self._lock:
            self._insist_on_lot(fields)
            if fields["uid"] not in self._book["arrivals"]:
                self._book["arrivals"][fields["uid"]] = fields
                self._note("arrival", fields["uid"])

    def take_departure(self, fields: Fields) -> None:
        with self._lock:
            self._insist_on_lot(fields)
            arrival = self._book["arrivals"].get(fields["uid"])
            if arrival is None:
                raise Rejection(UNKNOWN_VISIT, "未找到入场记录")
            if fields["endTime"] < arrival["arriveTime"]:
                raise Rejection(BEFORE_ARRIVAL, "离场时间早于入场时间")
            if fields["uid"] not in self._book["departures"]:
                self._book["departures"][fields["uid"]] = fields
                self._note("departure", fields["uid"])

    def take_state(self, fields: Fields) -> None:
        with self._lock:
            self._insist_on_lot(fields)
            self._book["states"][fields["parkingCode"]] = fields
            self._note("state", fields["parkingCode"])

    def take_heartbeat(self, fields: Fields) -> None:
        with self._lock:
            self._insist_on_lot(fields)
            self._book["heartbeats"][fields["parkingCode"]] = fields["uploadTime"]

    def _insist_on_lot(self, fields: Fields) -> None:
        if fields["parkingCode"] not in self._book["lots"]:
            raise Rejection(UNKNOWN_LOT, "停车场编号不存在")

    def _note(self, kind: str, name: str) -> None:
        self._book["taken"].append({"kind": kind, "name": name, "at": self._clock.now()})
