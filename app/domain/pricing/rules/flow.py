"""The lives of what people decide on about prices, each one list of (from, event, to)."""

from typing import Final

from app.kernel.states import BORN, Machine

DECIDED: Final = (
    (BORN, "propose", "proposed"),
    ("proposed", "approve", "approved"),
    ("proposed", "decline", "declined"),
    ("approved", "supersede", "superseded"),
)
REFERENCE: Final = Machine("reference_version", DECIDED)
REFERENCE_SET: Final = Machine("reference_set", DECIDED)
LOT_PRICE: Final = Machine(
    "lot_price",
    [
        (BORN, "draft", "draft"),
        ("draft", "prove", "proved"),
        ("draft", "fail", "failed"),
        ("proved", "prove", "proved"),
        ("proved", "fail", "failed"),
        ("failed", "prove", "proved"),
        ("failed", "fail", "failed"),
        ("proved", "publish", "published"),
        ("draft", "withdraw", "withdrawn"),
        ("proved", "withdraw", "withdrawn"),
        ("failed", "withdraw", "withdrawn"),
    ],
)
