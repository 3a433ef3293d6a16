"""One gate: a camera, an arm and a small computer that asks, obeys, and decides alone when nobody answers."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from simulators.gate.barrier import Barrier
from simulators.gate.clocks import DeviceClock
from simulators.gate.faults import Faults, misread
from simulators.gate.line import Line, NoAnswer, Refused, is_late
from simulators.gate.memory import Memory, Shelf
from simulators.gate.plan import GatePlan, Habits
from simulators.gate.trace import Trace
from simulators.gate.wire import moment, same_plate, seconds

BATCH = 200
KNOWS_ITS_ERROR = 2.0


@dataclass(frozen=True)
class Car:
    """A car before the barrier: its true plate, its colour, and which way it wants to go."""

    plate: str
    colour: str
    direction: str


@dataclass
class Verdict:
    """What is to be done with a car, and by whose word."""

    decision: str
    reason: str
    opened_by: str
    mode: str
    answer: dict[str, Any]

    @property
    def decision_id(self) -> str | None:
        return self.answer.get("decision_id")


class Gate:
    """A gate that stands in a lane. Its methods are what happens to it; `lane` lets one car through at a time."""

    def __init__(self, plan: GatePlan, habits: Habits, shelf: Shelf, trace: Trace, clock_file: Path | None) -> None:
        self.plan, self._habits, self.trace = plan, habits, trace
        self.memory = Memory(shelf, plan.gate_id)
        self.clock = DeviceClock(clock_file, self.memory.fact("clock_error"))
        self.clock.server_offset = self.memory.fact("server_offset")
        self.faults = Faults()
        self.line = Line(plan, habits, self.clock, self.faults, trace)
        self.barrier = Barrier(lambda state: self.memory.note(barrier=state))
        self.lane = threading.RLock()
        self.mode = "offline"
        self.waiting: tuple[Car, Verdict] | None = None
        self._held: list[Mapping[str, Any]] = []
        self._made: list[dict[str, Any]] = []
        self._boot()

    def _boot(self) -> None:
        """Power comes back: the arm is down, what was in memory alone is gone."""
        self.memory.note(boots=self.memory.fact("boots") + 1, barrier="closed")
        self._random = Random(f"{self._habits.seed}:{self.plan.gate_id}:{self.memory.fact('boots')}")  # noqa: S311
        self.waiting, self._held = None, []

    # --- what cars and people do -------------------------------------------------------------------------------

    def arrive(self, car: Car, read_as: str | None = None) -> dict[str, Any]:
        """A car stops before the barrier: it is read, asked about, and let through, or not."""
        with self.lane:
            self._made = []
            plate = self._read(car) if read_as is None else read_as
            event = self._event("arrived", car, plate)
            verdict = self._ask(event) or self._decide_alone(event, car, plate)
            passed = self._act(car, plate, verdict)
            self._obey_all(verdict.answer.get("commands", []))
            result = self._result(event, verdict, passed)
        self.flush()
        return {**result, "queue": len(self.memory.events(untold=True))}

    def lift(self, operator: str, reason: str, plate: str | None = None) -> dict[str, Any]:
        """Somebody raises the arm by hand."""
        with self.lane:
            self._made = []
            self.barrier.raise_arm()
            words = {"opened_by": "manual", "operator": operator, "reason": reason, "plate_raw": plate}
            self._add("manual_open", words)
            self.barrier.let_pass()
            result = {"barrier": self.barrier.moves(), "events": self._made}
        self.flush()
        return result

    def happen(self, type_: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Anything else that a gate may notice: a car that backs out, one that tailgates."""
        with self.lane:
            event = self._add(type_, fields)
        self.flush()
        return event

    def reboot(self, forget_list: bool) -> None:
        """The power fails for a moment; a reset to the maker's state also forgets the list."""
        with self.lane:
            self.barrier = Barrier(lambda state: self.memory.note(barrier=state))
            if forget_list:
                self.memory.forget_list()
            self._boot()

    def set_clock_error(self, error: float) -> None:
        """The clock goes wrong by so many seconds; the gate does not know it yet."""
        self.clock.error = error
        self.memory.note(clock_error=error)

    # --- asking and deciding -----------------------------------------------------------------------------------

    def _read(self, car: Car) -> str:
        return misread(car.plate, self._random) if self.faults.spend("misread") else car.plate

    def _ask(self, event: dict[str, Any]) -> Verdict | None:
        try:
            answer = self.line.post("decide", "/decide", event, self._habits.decide_seconds)
        except (NoAnswer, Refused):
            self.mode = "offline"
            return None
        self.mode = "online"
        self.memory.tell([event["seq"]])
        return Verdict(answer["decision"], answer["reason"], "server", "online", answer)

    def _decide_alone(self, event: dict[str, Any], car: Car, plate: str) -> Verdict:
        """Nobody answers: the list decides about entries; who wants to leave is let out unless the list must."""
        self.memory.keep_event({**event, "offline": True})
        listed = self._listed(car, plate)
        if car.direction == "out" and self.memory.fact("offline_exit") == "open":
            return Verdict("open", "offline_exit", "local_list", "offline", {})
        return Verdict("open" if listed else "deny", "listed" if listed else "not_listed", "local_list", "offline", {})

    def _listed(self, car: Car, plate: str) -> bool:
        return any(self._admits(row, car, plate) for row in self.memory.list_rows())

    def _admits(self, row: Mapping[str, Any], car: Car, plate: str) -> bool:
        """A row bounds the entry by the gate's own clock; out of the lot it leads at any time."""
        if not same_plate(row["plate"], plate) or row["direction"] not in {car.direction, "both"}:
            return False
        if "other" not in {row["colour"], car.colour} and row["colour"] != car.colour:
            return False
        now = self.clock.now()
        begun, ended = seconds(row["not_before"]) <= now, row["not_after"] and seconds(row["not_after"]) <= now
        return car.direction == "out" or (begun and not ended)

    def _act(self, car: Car, plate: str, verdict: Verdict) -> bool:
        if verdict.decision == "open":
            return self._let_through(car, plate, verdict)
        self.waiting = (Car(plate, car.colour, car.direction), verdict)
        if verdict.decision == "deny":
            self._event("denied", car, plate, verdict)
        return False

    def _let_through(self, car: Car, plate: str, verdict: Verdict) -> bool:
        self.waiting = None
        self.barrier.raise_arm()
        self._event("opened", car, plate, verdict)
        if self.faults.spend("no_pass"):
            self.barrier.lower_arm()
            return False
        self.barrier.let_pass()
        self._event("passed", car, plate, verdict)
        return True

    def _result(self, event: Mapping[str, Any], verdict: Verdict, passed: bool) -> dict[str, Any]:
        return {
            "event_id": event["event_id"], "mode": verdict.mode, "decision": verdict.decision,
            "reason": verdict.reason, "display": verdict.answer.get("display", ""),
            "voice": verdict.answer.get("voice", ""), "charge": verdict.answer.get("charge"),
            "decision_id": verdict.decision_id, "passed": passed, "barrier": self.barrier.moves(),
            "events": self._made,
        }  # fmt: skip

    # --- events ------------------------------------------------------------------------------------------------

    def _event(self, type_: str, car: Car, plate: str, verdict: Verdict | None = None) -> dict[str, Any]:
        fields: dict[str, Any] = {"direction": car.direction, "plate_raw": plate, "plate_color": car.colour}
        if verdict is not None:
            fields |= {"decision_id": verdict.decision_id, "offline": verdict.mode == "offline"}
            fields |= {"reason": verdict.reason}
            if type_ != "denied":
                fields["opened_by"] = verdict.opened_by
        return self._add(type_, fields)

    def _add(self, type_: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        body = {"event_id": self._name_event(), "type": type_, "lane": self.plan.lane, **fields}
        body |= {"device_time": moment(self.clock.now()), "list_version": self.memory.fact("list_version")}
        if abs(self.clock.server_offset) >= KNOWS_ITS_ERROR:
            body["clock_offset"] = round(self.clock.server_offset, 3)
        event = self.memory.add_event(body)
        self._made.append({"event_id": event["event_id"], "seq": event["seq"], "type": type_})
        return event

    def _name_event(self) -> str:
        """Unique for ever, and the same again for the same seed, boot and number."""
        seed = f"{self._habits.seed}:{self.plan.gate_id}:{self.memory.fact('boots')}:{self.memory.fact('next_seq')}"
        stamp = f"{int(self.clock.now() * 1000):012x}" if self._habits.seed is None else ""
        return f"{stamp}{sha256(seed.encode()).hexdigest()[:20]}"

    def flush(self) -> bool:
        """Tell the platform what it does not know yet, in order; whether everything is told."""
        with self.lane:
            try:
                while batch := self.memory.events(untold=True)[:BATCH]:
                    self._tell(batch)
                self._report_results()
            except (NoAnswer, Refused):
                return False
            return True

    def _tell(self, batch: list[dict[str, Any]]) -> None:
        if self.faults.spend("reorder_events"):
            for event in reversed(batch):
                self.line.post("events", "/events", {"events": [event]})
        answer = self.line.post("events", "/events", {"events": batch})
        if self.faults.spend("duplicate_events"):
            answer = self.line.post("events", "/events", {"events": batch})
        self.memory.tell(event["seq"] for event in batch)
        self._hear_numbers(answer)

    def _hear_numbers(self, answer: Mapping[str, Any]) -> None:
        self.memory.forget_events(int(answer["acked_seq"]))
        wanted = answer.get("want_from_seq")
        if wanted is not None:
            self._fill_gaps(int(wanted))
            self.memory.tell_again(int(wanted))

    def _fill_gaps(self, from_seq: int) -> None:
        """What was lost for good is said to be lost, under its own number."""
        kept = {int(event["seq"]) for event in self.memory.events(untold=False)}
        for seq in range(from_seq, int(self.memory.fact("next_seq"))):
            if seq not in kept:
                name = sha256(f"gap:{self.plan.gate_id}:{seq}".encode()).hexdigest()[:32]
                lost = {"event_id": name, "seq": seq, "type": "heartbeat_gap", "device_time": moment(self.clock.now())}
                self.memory.keep_event(lost)

    # --- the platform's word -----------------------------------------------------------------------------------

    def beat(self) -> None:
        """One heartbeat, and whatever its answer asks for; raises `NoAnswer` when nobody answers."""
        answer = self.line.post("heartbeat", "/heartbeat", self._pulse())
        self.mode = "online"
        self.memory.note(server_offset=self.clock.server_offset)
        self.memory.count_from(int(answer["next_seq"]))
        self._hear_numbers(answer)
        self.obey(answer["commands"])
        if answer["list_version"] != self.memory.fact("list_version"):
            self.pull()

    def _pulse(self) -> dict[str, Any]:
        return {
            "device_time": moment(self.clock.now()), "list_version": self.memory.fact("list_version"),
            "list_sha256": self.memory.list_sha256(), "queue_len": len(self.memory.events(untold=True)),
            "last_seq": self.memory.fact("next_seq") - 1, "mode": self.mode, "barrier": self.barrier.state,
            "fw": "simulator",
        }  # fmt: skip

    def pull(self, whole: bool = False) -> None:
        """Bring the list up to date and say so; a list that does not add up is fetched as a whole, once."""
        since = 0 if whole else self.memory.fact("list_version")
        answer = self.line.get("whitelist", f"/whitelist?since={since}")
        self.memory.apply(answer)
        right = self.memory.list_sha256() == answer["sha256"]
        if not right and not whole:
            self.pull(whole=True)
            return
        held = {"version": answer["to"], "sha256": self.memory.list_sha256(), "failed": []}
        held["count"] = len(self.memory.list_rows())
        if self.line.post("ack", "/whitelist/ack", held)["resync"] and not whole:
            self.pull(whole=True)

    def poll(self) -> None:
        """Wait for commands once; raises `NoAnswer` when nobody answers."""
        wait = self._habits.poll_seconds
        answer = self.line.get("commands", f"/commands?wait={wait}", wait + self._habits.answer_seconds)
        self.obey(answer["commands"])

    def obey(self, commands: list[Mapping[str, Any]]) -> None:
        """Do what is asked, each command once and only in time, and say what became of it."""
        with self.lane:
            self._obey_all(commands)
            self._report_results()
        if commands:
            self.flush()

    def release_held(self) -> None:
        """Commands that were held up come through now."""
        held, self._held = self._held, []
        self.obey(held)

    def _obey_all(self, commands: list[Mapping[str, Any]]) -> None:
        if self.faults.hold_commands:
            self._held.extend(commands)
            return
        for command in commands:
            if self.memory.result(command["cmd_id"]) is None:
                self._obey_once(command)

    def _obey_once(self, command: Mapping[str, Any]) -> None:
        """Written down as unknown first: after a power cut in between it is not done again."""
        if is_late(command["expires_at"], self.clock):
            self.memory.settle(command["cmd_id"], "expired", "late")
            return
        self.memory.settle(command["cmd_id"], "unknown", "interrupted")
        status, detail = self._do(command["type"], command["args"])
        self.memory.settle(command["cmd_id"], status, detail)
        self.trace.note(self.plan.gate_id, "command", type=command["type"], status=status)

    def _do(self, type_: str, arguments: Mapping[str, Any]) -> tuple[str, str]:
        deeds = {"open": self._open, "close": self._close, "keep_open": self._keep_open, "set_time": self._set_time}
        if type_ in deeds:
            deeds[type_]()
            return "done", ""
        if type_ == "sync":
            return self._sync(bool(arguments.get("full")))
        return ("done", "") if type_ in {"snapshot", "display"} else ("failed", "unknown command")

    def _open(self) -> None:
        """The car that waits drives through; without one the arm rises and falls."""
        if self.waiting is not None:
            car, verdict = self.waiting
            remote = Verdict("open", verdict.reason, "remote", "online", verdict.answer)
            self._let_through(car, car.plate, remote)
            return
        self.barrier.raise_arm()
        self._add("opened", {"opened_by": "remote"})
        self.barrier.lower_arm()

    def _close(self) -> None:
        self.barrier.kept_open = False
        self.barrier.lower_arm()

    def _keep_open(self) -> None:
        self.barrier.kept_open = True
        self.barrier.raise_arm()

    def _set_time(self) -> None:
        self.clock.set()
        self.memory.note(clock_error=0.0, server_offset=0.0)

    def _sync(self, whole: bool) -> tuple[str, str]:
        try:
            self.pull(whole)
        except (NoAnswer, Refused) as failure:
            return "failed", str(failure)
        return "done", ""

    def _report_results(self) -> None:
        for cmd_id, status, detail in self.memory.unreported():
            try:
                self.line.post("result", f"/commands/{cmd_id}/result", {"status": status, "detail": detail})
            except Refused:
                self.trace.note(self.plan.gate_id, "result_refused", status=status)
            self.memory.reported(cmd_id)

    def show(self) -> dict[str, Any]:
        """Everything about this gate that a test or a person may want to see; no secrets."""
        return {
            "gate_id": self.plan.gate_id, "lot": self.plan.lot, "lane": self.plan.lane,
            "direction": self.plan.direction, "network": self.line.up, "mode": self.mode,
            "list": self.memory.list_rows(), "list_version": self.memory.fact("list_version"),
            "list_sha256": self.memory.list_sha256(), "queue": self.memory.events(untold=True),
            "next_seq": self.memory.fact("next_seq"), "barrier": self.barrier.state,
            "clock": {"now": moment(self.clock.now()), "error": self.clock.error, "offset": self.clock.server_offset},
            "waiting": None if self.waiting is None else self.waiting[0].plate,
            "held_commands": [command["type"] for command in self._held],
        }  # fmt: skip
