"""What a motorist is to hear of a receipt: written down with the fact, taken by whoever tells them."""

from collections.abc import Sequence

from sqlalchemy import select

from app.kernel import clock
from app.kernel.db import current
from payments.receipts.models import Receipt
from payments.receipts.rules import RED


def note_news(receipt: Receipt) -> None:
    """Its motorist is to hear of where it stands; of a red one they hear through the blue one that it takes back."""
    if receipt.colour != RED:
        receipt.news_at = clock.now()


def take_news(limit: int) -> Sequence[Receipt]:
    """Receipts of which somebody is to hear, the longest waiting first, ours to tell of in the running transaction."""
    waiting = select(Receipt).where(Receipt.news_at.is_not(None)).order_by(Receipt.news_at, Receipt.id).limit(limit)
    found = current().scalars(waiting.with_for_update(skip_locked=True).execution_options(populate_existing=True)).all()
    for each in found:
        each.news_at = None
    return found
