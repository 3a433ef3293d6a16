"""Where the access token rests between calls."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


class TokenStore(Protocol):
    """Remembers one text under a name, and may forget it at any time. Best shared between processes.

    Stable tokens (稳定版 access_token) make a store per process harmless too: all are given the same token.
    What is put is a credential: a store must not log it.
    """

    def get(self, name: str) -> str | None: ...

    def put(self, name: str, text: str) -> None: ...


class MemoryTokenStore:
    """A store for one process."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self._kept.get(name)

    def put(self, name: str, text: str) -> None:
        self._kept[name] = text


@dataclass(frozen=True)
class KeptToken:
    """A token and the moment from which another is to be fetched, as one text for the store."""

    token: str = field(repr=False)
    until: datetime

    def text(self) -> str:
        return f"{self.until.isoformat()} {self.token}"

    @classmethod
    def read(cls, text: str | None) -> "KeptToken | None":
        """What `text()` wrote; None for nothing or for anything else that lay in the store."""
        until, _, token = (text or "").partition(" ")
        try:
            kept = cls(token, datetime.fromisoformat(until))
        except ValueError:
            return None
        return kept if token and kept.until.tzinfo else None
