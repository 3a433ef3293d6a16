"""What is due to the treasuries, which batches there are, and the papers that ended some."""

from payments.remittance.queries.batches import (
    PAGE,
    BatchView,
    NoSuchBatch,
    batch,
    batches,
    proposed_on,
    reference_of,
    sent_on,
    steps_of,
    view,
)  # fmt: skip
from payments.remittance.queries.dues import (
    Due,
    Late,
    dues,
    first_unfinal,
    overdue,
    remittable_through,
    unreceived,
)  # fmt: skip
from payments.remittance.queries.papers import BatchPaper, NoBatchPaper, paper_of, papers

__all__ = [
    "PAGE", "BatchPaper", "BatchView", "Due", "Late", "NoBatchPaper", "NoSuchBatch", "batch", "batches", "dues",
    "first_unfinal", "overdue", "paper_of", "papers", "proposed_on", "reference_of", "remittable_through", "sent_on",
    "steps_of", "unreceived", "view",
]  # fmt: skip
