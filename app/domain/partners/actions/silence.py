"""A partner that falls silent is shown to a person, once for each silence."""

from sqlalchemy import select, text

from app.domain.lots.models import Lot
from app.domain.lots.queries.places import place_of
from app.domain.partners.models import Partner, PartnerLot
from app.domain.partners.queries import speaks_for
from app.domain.policies.queries import number_for
from app.domain.tasks.actions import open_task
from app.kernel import clock
from app.kernel.db import transaction


def note_silence(limit: int = 100) -> int:
    """Open a task for each open lot whose partner told nothing new for `partner_silence_minutes`; returns for how many.

    A lot of which a partner never told anything is not silent but not connected.
    """
    with transaction() as session:
        moment = clock.now()
        longest = number_for("partner_silence_minutes", PartnerLot.lot_id, Lot.unit_id, moment)
        silent = session.scalars(
            select(PartnerLot)
            .join(Partner, Partner.id == PartnerLot.partner_id)
            .join(Lot, Lot.id == PartnerLot.lot_id)
            .where(
                Partner.revoked_at.is_(None),
                Lot.state == "open",
                speaks_for(moment),
                PartnerLot.heard_at + longest * text("interval '1 minute'") < moment,
                PartnerLot.silence_noted_at.is_(None),
            )
            .order_by(PartnerLot.heard_at)
            .limit(limit)
            .with_for_update(of=PartnerLot, skip_locked=True)
        ).all()
        for row in silent:
            row.silence_noted_at = moment
            told = {"partner_id": row.partner_id}
            open_task("partner_silent", "lot", row.lot_id, told, place=place_of(row.lot_id))
        return len(silent)
