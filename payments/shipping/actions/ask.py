"""Whether WeChat must be told is WeChat's own word, and it may change."""

from sqlalchemy.dialects.postgresql import insert

from app.kernel import audit, clock
from app.kernel.db import current, transaction
from payments.shipping.models import TradeManagement
from payments.shipping.queries import word_on_trade
from payments.shipping.rules import ASK_AGAIN, Trade


def ask_whether_managed(trade: Trade) -> bool:
    """Ask, unless WeChat was asked a while ago; says whether it was. Outside any transaction.

    Without an answer the former word holds.
    """
    former = word_on_trade()
    if former is not None and former.asked_at > clock.now() - ASK_AGAIN:
        return False
    managed = trade.is_managed()
    if managed is not None:
        with transaction():
            _keep(managed, changed=former is None or former.managed is not managed)
    return True


def _keep(managed: bool, *, changed: bool) -> None:
    told = {"managed": managed, "asked_at": clock.now()}
    row = insert(TradeManagement).values(id=1, **told)
    current().execute(row.on_conflict_do_update(index_elements=["id"], set_=told))
    if changed:
        audit.record("shipping.ask", "trade_management", 1, "wechat", {"managed": managed})
