"""What outlives a restart: orders, refunds, notices and people in one JSON file, saved once a second and at the end."""

import json
from dataclasses import asdict
from pathlib import Path
from threading import Event, Lock, Thread

from simulators.wechat.combined import Combined
from simulators.wechat.notices import Attempt, Notice
from simulators.wechat.orders import Order
from simulators.wechat.people import Person
from simulators.wechat.refunds import Refund
from simulators.wechat.world import World

SAVE_SECONDS = 1.0


class Memory:
    """A kill loses at most the last second, as far as the file goes; the platform's own book is not here."""

    def __init__(self, world: World, path: Path) -> None:
        self._world = world
        self._path = path
        self._saved = ""
        self._lock = Lock()
        self._ended = Event()

    def recall(self) -> None:
        """Takes up what the last run left, then keeps saving."""
        if self._path.exists():
            self._take_up(json.loads(self._path.read_text()))
        Thread(target=self._keep_saving, name="memory", daemon=True).start()

    def save(self) -> None:
        with self._lock:
            text = self._text()
            if text == self._saved:
                return
            draft = self._path.with_suffix(".draft")
            draft.touch(mode=0o600)
            draft.write_text(text)
            draft.replace(self._path)
            self._saved = text

    def end(self) -> None:
        self._ended.set()
        self.save()

    def _keep_saving(self) -> None:
        while not self._ended.wait(SAVE_SECONDS):
            self.save()

    def _text(self) -> str:
        kept = {
            "people": [asdict(person) for person in self._world.people.all()],
            "orders": [asdict(order) for order in self._world.orders.all()],
            "combined": [asdict(whole) for whole in self._world.combined.all()],
            "refunds": [asdict(refund) for refund in self._world.refunds.all()],
            "notices": [asdict(notice) for notice in self._world.courier.all()],
        }
        return json.dumps(kept, ensure_ascii=False)

    def _take_up(self, kept: dict[str, list[dict[str, object]]]) -> None:
        self._world.people.replace([Person(**person) for person in kept["people"]])  # type: ignore[arg-type]
        self._world.orders.replace([Order(**order) for order in kept["orders"]])  # type: ignore[arg-type]
        self._world.combined.replace([Combined(**whole) for whole in kept.get("combined", [])])  # type: ignore[arg-type]
        self._world.refunds.replace([Refund(**refund) for refund in kept.get("refunds", [])])  # type: ignore[arg-type]
        self._world.courier.replace([_notice(notice) for notice in kept["notices"]])


def _notice(kept: dict[str, object]) -> Notice:
    notice = Notice(**kept)  # type: ignore[arg-type]
    notice.attempts = [Attempt(**attempt) for attempt in notice.attempts]  # type: ignore[arg-type]
    return notice
