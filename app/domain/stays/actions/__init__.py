"""What gates, motorists and jobs do with stays; one file a verb."""

from app.domain.stays.actions.adopt import adopt
from app.domain.stays.actions.bill import NothingToPay, open_payment, open_payments
from app.domain.stays.actions.decide import decide
from app.domain.stays.actions.dispute import record_dispute
from app.domain.stays.actions.likeness import assign_exit
from app.domain.stays.actions.look import look_at
from app.domain.stays.actions.project import project, project_backlog, project_forgotten
from app.domain.stays.actions.release import release_unpassed
from app.domain.stays.actions.report import report_turn_away
from app.domain.stays.actions.review import review_long_stays
from app.domain.stays.actions.settle import earn_the_rest, settle, settle_forgotten

__all__ = [
    "NothingToPay",
    "adopt",
    "assign_exit",
    "decide",
    "earn_the_rest",
    "look_at",
    "open_payment",
    "open_payments",
    "project",
    "project_backlog",
    "project_forgotten",
    "record_dispute",
    "release_unpassed",
    "report_turn_away",
    "review_long_stays",
    "settle",
    "settle_forgotten",
]
