"""What a person is asked to look at when money has not reached its treasury in time."""

from typing import Final

DUE: Final = "remittance_due"
"""The kind of task: something has been due to a treasury for longer than `remit_within_days` and was not sent."""
UNRECEIVED: Final = "remittance_unreceived"
"""Something was sent longer than `treasury_receipt_days` ago, and no treasury has said that it came."""
STATES: Final = {
    "draft": "待复核", "approved": "待报送", "returned": "已退回", "withdrawn": "已撤回", "refused": "财政未受理",
    "sent": "已报送", "left": "已出账", "received": "已到账", "bounced": "已退汇",
}  # fmt: skip
