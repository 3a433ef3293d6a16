"""The letters that were taken, for whomever: what a postmaster can see of them."""

from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from threading import Lock
from typing import Any

from simulators.clock import BEIJING


@dataclass(frozen=True)
class Taken:
    """A letter with its envelope, and how it came."""

    number: int
    sender: str
    to: tuple[str, ...]
    raw: bytes
    tls: str
    taken_at: float

    def shown(self) -> dict[str, Any]:
        read: EmailMessage = message_from_bytes(self.raw, policy=default)
        body = read.get_body(("plain",))
        return {
            "number": self.number,
            "sender": self.sender,
            "to": list(self.to),
            "tls": self.tls,
            "taken_at": datetime.fromtimestamp(self.taken_at, BEIJING).isoformat(timespec="seconds"),
            "headers": {name.lower(): str(value) for name, value in read.items()},
            "text": body.get_content() if body else "",
            "attachments": [
                {"name": each.get_filename(), "type": each.get_content_type(), "bytes": len(each.get_content())}
                for each in read.iter_attachments()
            ],
        }


class Mailbox:
    """Kept in memory; the oldest go when there are too many."""

    MOST = 500

    def __init__(self) -> None:
        self._lock = Lock()
        self._letters: list[Taken] = []
        self._count = 0

    def take(self, sender: str, to: tuple[str, ...], raw: bytes, tls: str, at: float) -> int:
        """Keep a letter; returns its number."""
        with self._lock:
            self._count += 1
            self._letters = [*self._letters, Taken(self._count, sender, to, raw, tls, at)][-self.MOST :]
            return self._count

    def letters(self) -> list[Taken]:
        with self._lock:
            return list(self._letters)

    def letter(self, number: int) -> Taken | None:
        return next((each for each in self.letters() if each.number == number), None)

    def clear(self) -> None:
        with self._lock:
            self._letters = []
