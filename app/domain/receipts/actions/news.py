"""Motorists hear what became of their receipts."""

from app.domain.messages.actions import tell
from app.domain.receipts.rules import message_of
from app.kernel.db import transaction
from payments.receipts import actions as receipts


def tell_news(limit: int = 100) -> int:
    """Tell motorists of receipts that were issued or reversed, or that are not to be had for now; returns how many."""
    with transaction():
        news = receipts.take_news(limit)
        for each in news:
            if said := message_of(each.state, each.kind, each.amount_fen):
                kind, title, body = said
                tell(each.motorist_id, kind, f"receipt:{each.id}", title, body)
        return len(news)
