"""What one person asks for and another decides: it waits, then is accepted or rejected, each time with a reason.

That it is another person each table says by a constraint of its own; here that speaks as a refusal.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Mapped

from app.kernel import clock
from app.kernel.base import Key
from app.kernel.db import current
from app.kernel.refusals import Refusal

WAITING: Final = "waiting"


class Request:
    """The columns of a table whose rows one person asks for and another decides."""

    key: Mapped[Key]
    because: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    state: Mapped[str]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_because: Mapped[str | None]


Asked = TypeVar("Asked", bound=Request)


@dataclass(frozen=True)
class TwoPersons(Generic[Asked]):
    """How the requests of one table are asked for and decided, and with which words of its own that is refused."""

    table: type[Asked]
    unknown: type[Refusal]
    decided: type[Refusal]
    own: type[Refusal]
    unsaid: type[Refusal]

    def asking(self, by: str, because: str) -> dict[str, Any]:
        """What is written on a new request. Refuses `unsaid`."""
        return {"because": self._said(because), "made_by": by, "made_at": clock.now(), "state": WAITING}

    def waiting(self, key: uuid.UUID, by: str, because: str) -> Asked:
        """A request that this person may decide, locked. Refuses `unsaid`, `unknown`, `decided`, `own`."""
        self._said(because)
        found = current().scalar(select(self.table).filter_by(key=key).with_for_update())
        if found is None:
            raise self.unknown
        if found.state != WAITING:
            raise self.decided
        if found.made_by == by:
            raise self.own
        return found

    def decision(self, by: str, because: str) -> dict[str, Any]:
        """What is written on a request that is decided, beside its state. Refuses `unsaid`."""
        return {"decided_by": by, "decided_at": clock.now(), "decided_because": self._said(because)}

    def decide(self, request: Asked, state: str, by: str, because: str) -> None:
        """Write the decision on a request that `waiting` gave. Refuses `unsaid`."""
        for name, value in self.decision(by, because).items():
            setattr(request, name, value)
        request.state = state
        current().flush()

    def _said(self, because: str) -> str:
        if not because.strip():
            raise self.unsaid
        return because.strip()
