"""What may be believed of what partners tell: pure rules over one record and what is known already."""

from app.domain.partners.rules.counts import Capacity, Count, CountAboveCapacity, CountNegative, count_is_new
from app.domain.partners.rules.lots import differing
from app.domain.partners.rules.records import (
    BATCH,
    RecordUnreadable,
    TimeInFuture,
    TimeRunsBackwards,
    Verdict,
    canonical,
)
from app.domain.partners.rules.visits import (
    ExitBeforeEntry,
    ReportKind,
    Visit,
    VisitDiffers,
    VisitUnknown,
    VisitVoided,
    digest_of,
    visit_is_new,
)

__all__ = [
    "BATCH",
    "Capacity",
    "Count",
    "CountAboveCapacity",
    "CountNegative",
    "ExitBeforeEntry",
    "RecordUnreadable",
    "ReportKind",
    "TimeInFuture",
    "TimeRunsBackwards",
    "Verdict",
    "Visit",
    "VisitDiffers",
    "VisitUnknown",
    "VisitVoided",
    "canonical",
    "count_is_new",
    "differing",
    "digest_of",
    "visit_is_new",
]
