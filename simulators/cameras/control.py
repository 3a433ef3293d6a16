"""The control API for tests and demonstrations on this machine, and the cameras' own web pages beside it."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from simulators.cameras.camera import Camera
from simulators.cameras.life import Yard
from simulators.cameras.plan import read_plans
from simulators.wire import Asked, Reply

Deed = Callable[[Camera, Mapping[str, Any]], Any]
Page = Callable[[Camera, Mapping[str, Any]], Any]


def arrive(camera: Camera, wanted: Mapping[str, Any]) -> Any:
    """A car comes; answers with everything that then happened."""
    return camera.arrive(str(wanted["plate"]), str(wanted.get("colour", "blue")), wanted.get("read_as"))


def network(camera: Camera, wanted: Mapping[str, Any]) -> Any:
    """Cut the line, or mend it."""
    camera.line.up = bool(wanted["up"])
    return {"network": camera.line.up}


def clock(camera: Camera, wanted: Mapping[str, Any]) -> Any:
    """Put the camera's clock wrong by so many seconds."""
    camera.set_clock_error(float(wanted["error_seconds"]))
    return {"error_seconds": camera.clock.error}


def faults(camera: Camera, wanted: Mapping[str, Any]) -> Any:
    """Ask for faults by name."""
    camera.faults.set(wanted)
    return wanted


def reboot(camera: Camera, _wanted: Mapping[str, Any]) -> Any:
    """The power fails for a moment."""
    camera.reboot()
    return camera.show()


def reset(camera: Camera, _wanted: Mapping[str, Any]) -> Any:
    """To the maker's state."""
    camera.reset()
    return camera.show()


def contact(camera: Camera, wanted: Mapping[str, Any]) -> Any:
    """A contact closes without a car that was let in."""
    camera.tell_contact(int(wanted["source"]))
    return {"told": True}


def drive(camera: Camera, _wanted: Mapping[str, Any]) -> Any:
    """The car that waits drives through, if the arm is up."""
    return {"passed": camera.let_through()}


def put_row(camera: Camera, wanted: Mapping[str, Any]) -> Any:
    """Somebody else writes a row of the camera's list."""
    camera.memory.put_row(str(wanted["plate"]), str(wanted["begins"]), str(wanted["ends"]))
    return camera.show()


DEEDS: Mapping[str, Deed] = {
    "arrive": arrive, "network": network, "clock": clock, "faults": faults, "reboot": reboot, "reset": reset,
    "contact": contact, "drive": drive, "put_row": put_row,
}  # fmt: skip


class Control:
    """Answers /control/..., and whatever pages this vendor's cameras have, at /cameras/SERIAL/PAGE."""

    def __init__(self, yard: Yard, pages: Mapping[str, Page]) -> None:
        self._yard, self._pages = yard, pages

    def answer(self, asked: Asked) -> Reply:
        """One request."""
        wanted = json.loads(asked.body or b"{}")
        try:
            return self._answered(asked, [word for word in asked.path.split("/") if word], wanted)
        except (KeyError, ValueError, TypeError) as wrong:
            return _json(422, {"error": f"{type(wrong).__name__}: {wrong}"})

    def _answered(self, asked: Asked, words: list[str], wanted: Any) -> Reply:
        match [asked.method, *words]:
            case ["PUT", "control", "cameras"]:
                self._yard.put(read_plans(wanted))
                return _json(200, {"cameras": len(self._yard.cameras())})
            case ["GET", "control", "cameras", serial] if camera := self._yard.find(serial):
                return _json(200, camera.show())
            case ["POST", "control", "cameras", serial, deed] if deed in DEEDS and (camera := self._yard.find(serial)):
                return _json(200, DEEDS[deed](camera, wanted))
            case ["POST", "cameras", serial, page] if page in self._pages and (camera := self._yard.find(serial)):
                return _json(200, self._pages[page](camera, wanted))
        return _json(404, {"error": "not found"})


def _json(status: int, content: Any) -> Reply:
    return Reply(status, json.dumps(content, ensure_ascii=False).encode(), {"Content-Type": "application/json"})
