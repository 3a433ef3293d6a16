"""What gates, motorists and jobs do with stays; one file a verb."""

from app.domain.stays.actions.bill import NothingToPay, open_payment
from app.domain.stays.actions.decide import decide
from app.domain.stays.actions.project import project, project_forgotten
from app.domain.stays.actions.release import release_unpassed
from app.domain.stays.actions.settle import settle

__all__ = ["NothingToPay", "decide", "open_payment", "project", "project_forgotten", "release_unpassed", "settle"]
