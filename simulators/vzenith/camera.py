"""A Vzenith camera: what it pushes, and what it does about each key of an answer."""

import base64
from collections.abc import Mapping
from typing import Any

from simulators.cameras.camera import Camera, Reading
from simulators.cameras.line import NoAnswer
from simulators.vzenith.words import alarm, local, registration

MOST_RECORDS = 9000
PICTURE_BYTES = (50_000, 150_000)


class Vzenith(Camera):
    """Opens for `info: "ok"` in whatever answer it stands, and for nothing else."""

    def body_of(self, reading: Reading, *, offline: bool = False, opener: int = 0) -> dict[str, Any]:
        """A live or a replayed push, with its photographs."""
        size = self.random.randint(*PICTURE_BYTES)
        picture = base64.b64encode(self.random.randbytes(64) * (size // 64)).decode()
        return alarm(self.plan, reading, picture, offline=offline, opener=opener)

    def orders(self, answer: Mapping[str, Any]) -> list[tuple[int, int]]:
        """`info` pulses the open relay; `ivs_ioctrl` whichever it names."""
        told = _told(answer)
        relays = [(int(told.get("channelNum", 0)), 2)] if told.get("info") == "ok" else []
        control = told.get("ivs_ioctrl")
        return [*relays, (int(control["io"]), int(control["value"]))] if control else relays

    def carry_out(self, answer: Mapping[str, Any]) -> None:
        """The rows of the list, and what the loudspeaker says."""
        told = _told(answer)
        if operation := told.get("white_list_operate"):
            self._change_list(operation)
        if spoken := told.get("playserver_json_request"):
            self.trace.note(self.plan.serial, "voice", bytes=len(base64.b64decode(spoken["voice"])))

    def local_now(self) -> str:
        """As `enable_time` is written."""
        return local(self.clock.now())

    def remember(self, reading: Reading, opener: int) -> None:
        """Up to about 9000 records wait for the platform (断线重传)."""
        self.memory.keep(reading.number, self.body_of(reading, offline=True, opener=opener), MOST_RECORDS)

    def replay(self) -> bool:
        """One record; the next only when `ContinuePushOffline` says so. A live car in between sends it again."""
        with self.busy:
            found = self.memory.oldest()
            if found is None:
                return False
            number, body = found
            answer = self.line.push(body)
            self.mode = "online"
            if self.faults.spend("preempt"):
                return True
            self.obey(answer, f"replay {number}")
            may = _told(answer).get("ContinuePushOffline") or {}
            if may.get("continue") != 1 or may.get("plateid") != number:
                return False
            self.memory.sent(number)
            return True

    def breathe(self) -> float:
        """A comet poll: the next follows at once, after an error in 2 s."""
        if not self.line.up:
            raise NoAnswer("no network")
        answer = self.line.register(registration(self.plan), self.habits.poll_seconds)
        self.obey(answer, "poll")
        return 0.0

    def tell_contact(self, source: int) -> None:
        """`AlarmGioIn`: it has no number and no moment, and nobody repeats it."""
        trigger = {"source": source, "value": 1}
        body = {
            "AlarmGioIn": {
                "deviceName": "示例相机", "ipaddr": "192.0.2.7", "serialno": self.plan.serial,
                "result": {"TriggerResult": trigger},
            }
        }  # fmt: skip
        try:
            self.obey(self.line.push(body), "contact")
        except NoAnswer:
            self.trace.note(self.plan.serial, "contact_untold")

    def lose_power(self) -> None:
        """Everything is on its card."""

    def _change_list(self, operation: Mapping[str, Any]) -> None:
        if self.faults.spend("forget_rows"):
            return
        for row in operation["white_list_data"]:
            if operation["operate_type"] == 1:
                self.memory.drop_row(row["plate"])
            elif len(self.memory.rows()) < self.plan.capacity:
                self.memory.put_row(row["plate"], row["enable_time"], row["overdue_time"])


def _told(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    told = answer.get("Response_AlarmInfoPlate")
    return told if isinstance(told, Mapping) else {}
