"""The draw (抽签), which anybody can make again: its secret was committed to before anybody applied."""

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def commitment(secret: str) -> str:
    """What is published before the draw: the SHA-256 of the secret's text, as 64 hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def ticket(secret: str, application_key: uuid.UUID) -> str:
    """An application's ticket: the SHA-256 of `secret:key` as text, 64 hexadecimal digits."""
    return hashlib.sha256(f"{secret}:{application_key}".encode()).hexdigest()


def drawn(secret: str, application_keys: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """The applications in the order of their tickets, whatever the order in which they came."""
    return sorted(application_keys, key=lambda key: ticket(secret, key))


@dataclass(frozen=True)
class Told:
    """One application as the published draw tells it: ticket and rank; nothing of its motorist."""

    key: uuid.UUID
    ticket: str
    rank: int


def faults(committed: str, secret: str, told: Sequence[Told]) -> list[str]:
    """What is wrong with a published draw: nothing, or which of its promises does not hold."""
    found = [] if commitment(secret) == committed else ["commitment"]
    if any(each.ticket != ticket(secret, each.key) for each in told):
        found.append("tickets")
    by_rank = sorted(told, key=lambda each: each.rank)
    ranks, keys = [each.rank for each in by_rank], [each.key for each in by_rank]
    if ranks != list(range(1, len(told) + 1)) or keys != drawn(secret, keys):
        found.append("ranks")
    return found
