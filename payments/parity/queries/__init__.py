"""Which journals follow from what happened, where the books say anything else, and what was corrected."""

from payments.parity.queries.compared import Difference, Owed, differences, owed
from payments.parity.queries.corrections import (
    PAGE,
    CorrectionView,
    NoSuchCorrection,
    correction,
    corrections,
    is_corrected,
)

__all__ = [
    "PAGE", "CorrectionView", "Difference", "NoSuchCorrection", "Owed", "correction", "corrections", "differences",
    "is_corrected", "owed",
]  # fmt: skip
