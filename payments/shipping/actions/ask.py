"""Whether WeChat must be told is WeChat's own word, and it may change."""

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.kernel import audit, clock
from app.kernel.db import current, transaction
from payments.charges.models import Payment
from payments.shipping.actions.word import wait_for_all_who_note
from payments.shipping.models import TradeManagement
from payments.shipping.queries import word_on_trade
from payments.shipping.rules import ASK_AGAIN, Trade


def ask_whether_managed(trade: Trade) -> bool:
    """Ask, unless WeChat was asked a while ago; says whether it was. Outside any transaction.

    Without an answer the former word holds. Once it wants to be told, what was rendered before is looked for.
    """
    former = word_on_trade()
    if former is not None and former.asked_at > clock.now() - ASK_AGAIN:
        return False
    managed = trade.is_managed()
    if managed is not None:
        with transaction():
            _keep(managed)
    return True


def _keep(managed: bool) -> None:
    former = word_on_trade()
    told: dict[str, object] = {"managed": managed, "asked_at": clock.now()}
    if former is None or former.managed is not managed:
        told |= _from_now_on() if managed else {"managed_since": None, "unsought_before": None}
        audit.record("shipping.ask", "trade_management", 1, "wechat", {"managed": managed})
    row = insert(TradeManagement).values(id=1, **told)
    current().execute(row.on_conflict_do_update(index_elements=["id"], set_=told))


def _from_now_on() -> dict[str, object]:
    wait_for_all_who_note()
    newest = current().scalar(select(func.max(Payment.id))) or 0
    return {"managed_since": clock.now(), "unsought_before": newest + 1}
