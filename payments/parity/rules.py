"""What becomes of a proposal to correct the books."""

from typing import Final

CORRECTION_STATES: Final = ("waiting", "accepted", "rejected")
CORRECTION: Final = "correction"
"""The kind of journal that stands for one that was reversed because it was wrong."""
