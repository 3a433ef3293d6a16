"""What an operating agreement must say (N4.7)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from app.kernel.refusals import Invalid


class AgreementIncomplete(Invalid):
    """An agreement states bays, hours, services, both sides' duties, its lots and a term (N4.7)."""

    code = "agreement_incomplete"
    message = "委托运营服务协议须写明停车场、共享泊位数、开放时间、服务内容、双方权利义务和起止时间"


@dataclass(frozen=True)
class Terms:
    """What an operating agreement says (N4.7), for which lots, and for the span [begins_at, ends_at)."""

    lot_ids: Collection[int]
    shared_bays: int
    hours_text: str
    services: str
    unit_duties: str
    operator_duties: str
    begins_at: datetime
    ends_at: datetime

    def check(self) -> None:
        """Refuse `AgreementIncomplete` when one of the four obligatory contents, a lot or a term is missing."""
        words = (self.hours_text, self.services, self.unit_duties, self.operator_duties)
        if not self.lot_ids or self.shared_bays < 1 or self.ends_at <= self.begins_at:
            raise AgreementIncomplete
        if not all(each.strip() for each in words):
            raise AgreementIncomplete
