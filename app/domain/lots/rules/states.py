"""The lives of a lot and of an opening plan, each one list of (from, event, to)."""

from typing import Final

from app.kernel.states import BORN, Machine

LOT: Final = Machine(
    "lot",
    [
        (BORN, "draft", "draft"),
        ("draft", "submit", "submitted"),
        ("submitted", "send_back", "draft"),
        ("submitted", "approve", "approved"),
        ("approved", "send_back", "draft"),
        ("approved", "publish", "open"),
        ("open", "suspend", "suspended"),
        ("suspended", "reopen", "open"),
        ("draft", "withdraw", "withdrawn"),
        ("submitted", "withdraw", "withdrawn"),
        ("approved", "withdraw", "withdrawn"),
        ("open", "withdraw", "withdrawn"),
        ("suspended", "withdraw", "withdrawn"),
    ],
)
PLAN: Final = Machine(
    "opening_plan",
    [
        (BORN, "draft", "draft"),
        ("draft", "submit", "submitted"),
        ("submitted", "return", "returned"),
        ("submitted", "approve", "approved"),
        ("draft", "widen", "approved"),
        ("approved", "supersede", "superseded"),
    ],
)
