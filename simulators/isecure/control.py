"""The tester's side door, `/control`: plain JSON, no signatures."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import requests

from simulators.isecure.park import Faults, Park, Parks, read_plans
from simulators.wire import Asked, Reply

ENTERED, LEFT = 771760131, 771760134
"""Events of a barrier that let a car in, or out (放行)."""

PUSH_SECONDS = 5.0


def come(park: Park, wanted: Mapping[str, Any]) -> Any:
    """A car comes to the entrance; whether it drove in."""
    came = park.comes(str(wanted["plate"]))
    if came:
        _tell(park, ENTERED)
    return {"passed": came}


def cross(park: Park, wanted: Mapping[str, Any]) -> Any:
    """A car drives through whatever was reserved; its record may reach the system late (`ago`, seconds)."""
    out = int(wanted["out"])
    park.crosses(str(wanted["plate"]), out, int(wanted.get("way", 0)), float(wanted.get("ago", 0)))
    _tell(park, LEFT if out else ENTERED)
    return {"passed": True}


def network(park: Park, wanted: Mapping[str, Any]) -> Any:
    """Cut the line, or mend it."""
    park.up = bool(wanted["up"])
    return {"network": park.up}


def faults(park: Park, wanted: Mapping[str, Any]) -> Any:
    """Ask for faults by name."""
    park.faults = Faults(**wanted)
    return asdict(park.faults)


def reset(park: Park, _wanted: Mapping[str, Any]) -> Any:
    """To the maker's state."""
    park.reset()
    return {}


def put_row(park: Park, wanted: Mapping[str, Any]) -> Any:
    """Somebody else reserves."""
    return {"order": park.add(str(wanted["plate"]), str(wanted["begins"]), str(wanted["ends"]))}


DEEDS: Mapping[str, Callable[[Park, Mapping[str, Any]], Any]] = {
    "come": come, "cross": cross, "network": network, "faults": faults, "reset": reset, "put_row": put_row,
}  # fmt: skip


class Control:
    """Answers /control/... ."""

    def __init__(self, parks: Parks) -> None:
        self._parks = parks

    def answer(self, asked: Asked) -> Reply:
        try:
            told = self._done(asked.method, asked.path.split("/")[2:], json.loads(asked.body or b"{}"))
        except (KeyError, TypeError, ValueError) as wrong:
            return _json(422, {"error": f"{type(wrong).__name__}: {wrong}"})
        return _json(404, {"error": "not found"}) if told is None else _json(200, told)

    def _done(self, method: str, words: list[str], wanted: Any) -> Any:
        match [method, *words]:
            case ["PUT", "parks"]:
                self._parks.put(read_plans(wanted))
                return {}
            case ["GET", "parks", name] if park := self._parks.find(name):
                return _shown(park)
            case ["POST", "parks", name, deed] if deed in DEEDS and (park := self._parks.find(name)):
                with park.lock:
                    return DEEDS[deed](park, wanted)
        return None


def _shown(park: Park) -> dict[str, Any]:
    live = [asdict(row) for row in sorted(park.live(), key=lambda row: row.plate)]
    return {"list": live, "inside": sorted(park.inside), "crossings": len(park.crossings)}


def _tell(park: Park, kind: int) -> None:
    """An event is pushed once, unsigned, and nobody repeats it."""
    if not (park.plan.push and park.up):
        return
    crossed = park.crossings[-1]
    event = {
        "eventId": crossed.number, "eventType": kind, "srcIndex": park.plan.park, "happenTime": crossed.at,
        "data": {"plateNo": crossed.plate, "roadwayIndex": "1", "eventCmd": 4 if crossed.out else 3},
    }  # fmt: skip
    body = {"method": "OnEventNotify", "params": {"events": [event]}}
    try:
        requests.post(park.plan.push, json=body, timeout=PUSH_SECONDS)
    except requests.RequestException:
        return


def _json(status: int, content: Any) -> Reply:
    return Reply(status, json.dumps(content, ensure_ascii=False).encode(), {"Content-Type": "application/json"})
