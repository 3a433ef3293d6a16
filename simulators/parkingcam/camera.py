"""A ParkingCam camera: what it pushes, and what it does about each kind of answer."""

import base64
from collections.abc import Mapping
from typing import Any

from simulators.cameras.camera import Camera, Reading
from simulators.cameras.line import NoAnswer
from simulators.parkingcam.words import alarm, contact, heard, heartbeat, local, outcome, part

MOST_RECORDS = 10
MOST_DROPS = 10
PICTURE_BYTES = 60_000


class ParkingCam(Camera):
    """Opens for `info: "ok"` in a plate's or a heartbeat's answer, and for nothing else."""

    heard = staticmethod(heard)

    def body_of(self, reading: Reading, *, offline: bool = False, opener: int = 0) -> dict[str, Any]:
        """A live or a repeated push, with its photograph."""
        picture = base64.b64encode(self.random.randbytes(64) * (PICTURE_BYTES // 64)).decode()
        return alarm(self.plan, reading, picture, offline=offline, opener=opener)

    def orders(self, answer: Mapping[str, Any]) -> list[tuple[int, int]]:
        """`info` raises the arm, `shutoff` lowers it."""
        beat, plate = (_object(answer, f"Response_{name}") for name in ("Heartbeat", "AlarmInfoPlate"))
        opens = [(0, 2)] if "ok" in (beat.get("info"), plate.get("info")) else []
        return [*opens, (1, 2)] if beat.get("shutoff") == "ok" else opens

    def carry_out(self, answer: Mapping[str, Any]) -> None:
        """An operation on the list, whose outcome is pushed; the answer to that may be the next operation."""
        told = self._operate(answer)
        if told is None:
            return
        if self.faults.spend("lose_list_answers"):
            self.trace.note(self.plan.serial, "list_answer_lost")
            return
        try:
            self.obey(self.line.push(told), "list")
        except NoAnswer:
            self.trace.note(self.plan.serial, "list_answer_untold")

    def local_now(self) -> str:
        """As `startime` is written."""
        return local(self.clock.now())

    def remember(self, reading: Reading, opener: int) -> None:
        """Ten readings wait for an answer; the eleventh pushes the oldest out."""
        self.memory.keep(reading.number, self.body_of(reading, offline=True, opener=opener), MOST_RECORDS)

    def replay(self) -> bool:
        """The oldest once more, until somebody answers `retransfer_stop` or `ok`."""
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
            told = _object(answer, "Response_AlarmInfoPlate")
            stops = told.get("content") == "retransfer_stop" or told.get("info") == "ok"
            if stops:
                self.memory.sent(number)
            return stops

    def breathe(self) -> float:
        """A heartbeat."""
        if not self.line.up:
            raise NoAnswer("no network")
        count = self.memory.next_number("countid")
        self.obey(self.line.push(heartbeat(self.plan.serial, count, self.clock.now())), "heartbeat")
        return self.habits.heartbeat_seconds

    def tell_contact(self, source: int) -> None:
        """`AlarmGioIn`, told once."""
        try:
            self.obey(self.line.push(contact(self.plan.serial, source)), "contact")
        except NoAnswer:
            self.trace.note(self.plan.serial, "contact_untold")

    def lose_power(self) -> None:
        """What waits for an answer lies in memory alone."""
        self.memory.lose_records()

    def _operate(self, answer: Mapping[str, Any]) -> dict[str, Any] | None:
        """Do one operation on the list; what is to be told of it, `None` when the answer is no operation."""
        serial = self.plan.serial
        if wanted := answer.get("addWhiteList"):
            return outcome("Response_AddWhiteList", serial, self._add(wanted["add_data"]))
        if wanted := answer.get("deleteWhiteList"):
            return outcome("Response_DeleteWhiteList", serial, self._delete(wanted["del_data"]))
        if wanted := answer.get("whiteList"):
            return part(serial, self.memory.rows(), wanted)
        if answer.get("deleteWhiteListAll") == 1:
            self.memory.drop_row("")
            return outcome("Response_DelWhiteListAll", serial, True)
        return None

    def _add(self, rows: list[Mapping[str, str]]) -> bool:
        """All of the rows or none, as far as there is room."""
        plates = {row["plate"] for row in self.memory.rows()} | {row["carnum"] for row in rows}
        if self.faults.spend("refuse_rows") or len(plates) > self.plan.capacity:
            return False
        if not self.faults.spend("forget_rows"):
            for row in rows:
                self.memory.put_row(row["carnum"], row["startime"], row["endtime"])
        return True

    def _delete(self, rows: list[Mapping[str, str]]) -> bool:
        if self.faults.spend("refuse_rows") or len(rows) > MOST_DROPS or not all(row["carnum"] for row in rows):
            return False
        for row in rows:
            self.memory.drop_row(row["carnum"])
        return True


def _object(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = answer.get(name)
    return found if isinstance(found, Mapping) else {}
