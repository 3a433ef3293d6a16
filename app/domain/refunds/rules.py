"""What a motorist is told of a refund."""

from collections.abc import Iterable, Iterator
from typing import Final

from payments.refunds.queries import Step
from payments.refunds.rules import BY_TREASURY, REASONS

SHOWN: Final = {"submitting": "approved", "unknown": "approved", "stopping": "approved"}
"""How far it is between us and WeChat is no step for a motorist."""
TOLD: Final = {
    "approved": ("退款已受理", "将退还{yuan}元（{reason}），原路退回您的支付账户。"),
    "rejected": ("退款未通过", "{yuan}元的退款申请（{reason}）未通过审核。"),
    "success": ("退款已到账", "{yuan}元已原路退回您的支付账户，银行卡入账以银行通知为准。"),
    "abnormal": ("退款异常", "{yuan}元未能退回您的支付账户，工作人员正在处理，款项不会丢失。"),
    "closed": ("退款未完成", "{yuan}元的退款被微信支付关闭，款项仍为您保留，将重新办理。"),
}
"""Title and sentence of the message at each step that concerns a motorist."""
TOLD_BY_TREASURY: Final = {
    "approved": ("退款已受理", "{yuan}元（{reason}）已上缴财政，将向财政部门申请退付。"),
    "rejected": TOLD["rejected"],
    "filed": ("退付已报送财政", "{yuan}元的退付申请（{reason}）已报送财政部门，等待办理。"),
    "success": ("财政已退付", "财政已退付{yuan}元，入账以银行通知为准。"),
    "closed": ("财政未予退付", "{yuan}元的退付申请（{reason}）财政部门未予办理，如有疑问请联系停车场。"),
}
"""The same where the treasury has the money and pays it back (退付)."""


def shown_state(state: str) -> str:
    """The state as a motorist sees it."""
    return SHOWN.get(state, state)


def shown_steps(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps as a motorist sees them, each state once."""
    seen = set[str]()
    for step in steps:
        state = shown_state(step.state)
        if state not in seen:
            seen.add(state)
            yield Step(state, step.at)


def message_of(state: str, amount_fen: int, reason: str, way: str) -> tuple[str, str] | None:
    """Title and body of what a motorist is told at this step; none when it does not concern them."""
    words = TOLD_BY_TREASURY if way == BY_TREASURY else TOLD
    if state not in words:
        return None
    title, body = words[state]
    return title, body.format(yuan=f"{amount_fen // 100}.{amount_fen % 100:02}", reason=REASONS[reason])
