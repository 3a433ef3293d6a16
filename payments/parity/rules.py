"""What becomes of a proposal to correct the books."""

from typing import Final

CORRECTION_STATES: Final = ("waiting", "accepted", "rejected")
