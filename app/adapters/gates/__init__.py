"""How we speak with gates and cameras.

Our own protocol, gate/v1 (docs/gate-protocol.md), needs no adapter: its door stands in `app/api/gates/`. What it
needs of the outside is `waiting`: telling a gate that polls, in whichever process, that a command is there.

A vendor's dialect is one module here, named after its profile in `gate_device.profile`, and implements
`Dialect`. What each must take care of:

* The dialect follows the registered device, never the look of a message: two dialects share the root `AlarmInfoPlate`.
* `Response_AlarmInfoPlate.info == "ok"` raises the barrier in any reply. It is never a mere acknowledgement.
* Vzenith heartbeats carry the camera's own user name and password: they are dropped before anything is logged.
* A failed or slow reply makes a camera decide by itself: store, answer 2xx, decide fast.
* An accepted command does not prove that the arm moved, and an open is never sent twice.
"""

from collections.abc import Mapping
from typing import Any, Protocol


class Dialect(Protocol):
    """A vendor's words for what gate/v1 says; the door then does the same for both."""

    def read(self, body: bytes) -> list[Mapping[str, Any]]:
        """The events in a camera's push, with the fields of gate/v1; raises ValueError on foreign bytes."""

    def answer(self, decision: str, display: str, voice: str) -> bytes:
        """The reply that carries a decision; only `open` may contain what raises the barrier."""

    def instruct(self, type_: str, arguments: Mapping[str, Any]) -> bytes:
        """A command as this vendor's reply to a poll or heartbeat."""
