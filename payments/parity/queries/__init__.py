"""Which journals follow from what happened, and where the books say anything else."""

from payments.parity.queries.compared import Difference, differences

__all__ = ["Difference", "differences"]
