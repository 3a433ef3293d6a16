"""WeChat's rule for mini-programs that sell (发货信息管理): what was paid for is reported as rendered."""

from app.adapters.trade.client import TradeOrders
from app.adapters.trade.outcomes import Told

__all__ = ["Told", "TradeOrders"]
