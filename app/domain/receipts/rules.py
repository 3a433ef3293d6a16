"""What a motorist is told of a receipt, the life of a receipt's mail, and the words that it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.kernel.clock import SHANGHAI
from app.kernel.states import BORN, Edge, Machine

NAMES: Final = {"fiscal_ebill": "财政电子票据", "tax_invoice": "数电发票"}
LATE: Final = (
    "late",
    "票据开具延迟",
    "{yuan}元的{name}暂未开具成功，工作人员正在处理，不影响您停车和离场，开具后另行通知。",
)
TOLD: Final = {
    "issued": ("issued", "票据已开具", "{yuan}元的{name}已开具，可在“我的票据”中查看和下载。"),
    "reversed": ("reversed", "票据已冲红", "{yuan}元的{name}因退款或更正已冲红，如仍有应开金额将另行开具。"),
    "issuing": LATE,
    "refused": LATE,
}
"""By the state in which a receipt is told of: what kind of message that is, its title and its sentence."""

MAIL_EDGES: tuple[Edge, ...] = (
    (BORN, "born", "due"),
    ("due", "send", "sending"),
    ("due", "give_up", "given_up"),
    ("sending", "deliver", "delivered"),
    ("sending", "refuse", "refused"),
    ("sending", "postpone", "due"),
    ("sending", "lose", "due"),
)
MAIL: Final = Machine("receipt_mail", MAIL_EDGES)
MOST_IN_A_MAIL: Final = 20
JOB_MAY_TAKE: Final = timedelta(minutes=1)
"""From a job's being left until a sweeper leaves another one."""
LEASE: Final = timedelta(minutes=5)
"""Longer than a mail server that is slow at every step keeps us."""
SILENT_TOO_LONG: Final = 7
"""Failures of the line in a row, about an hour of them, after which a person hears of it."""
UNSENT: Final = {
    "refused": (
        "receipt_mail_refused", "票据邮件被拒收",
        "您申请发送的{count}张票据未能送达，收件邮箱拒收。请核对邮箱地址后重新申请，或在“我的票据”中下载。",
    ),
    "given_up": (
        "receipt_mail_given_up", "票据邮件未能发出",
        "您申请发送的{count}张票据未能在限定时间内送达，邮箱地址已删除。请稍后重新申请，或在“我的票据”中下载。",
    ),
}  # fmt: skip
"""By how a mail ended without arriving: kind, title and sentence of what its motorist is told. No address."""


def message_of(state: str, kind: str, amount_fen: int) -> tuple[str, str, str] | None:
    """Kind, title and body of what a motorist is told; none when it has moved on to where nothing is to be said."""
    if state not in TOLD:
        return None
    word, title, body = TOLD[state]
    return f"receipt_{word}", title, body.format(yuan=_yuan(amount_fen), name=NAMES[kind])


@dataclass(frozen=True)
class Enclosed:
    """A receipt as the letter around it speaks of it: nothing personal."""

    kind: str
    code: str
    number: str
    amount_fen: int
    issued_at: datetime

    @property
    def file_name(self) -> str:
        return f"{self.kind}-{self.code}{self.number}.pdf"


def subject_of(enclosed: Sequence[Enclosed]) -> str:
    """The subject of a mail: how many receipts, and of which kinds. No plate, no name."""
    kinds = "、".join(NAMES[kind] for kind in NAMES if kind in {each.kind for each in enclosed})
    return f"停车{kinds}（{len(enclosed)}张）"


def text_of(enclosed: Sequence[Enclosed]) -> str:
    """The text of a mail: each receipt in a line, by kind, numbers, sum and day."""
    lines = [f"{place}. {_line(each)}" for place, each in enumerate(enclosed, 1)]
    return "\n".join([_HEAD, "", *lines, "", _FOOT, ""])


_HEAD: Final = "您好：\n\n您在小程序中申请发送的停车票据见附件（PDF）："
_FOOT: Final = (
    "附件为票据信息。财政电子票据以财政票据平台的版式文件为准，数电发票以税务数字账户中的版式文件为准。\n"
    "本邮件由系统自动发出，请勿回复。发出后，平台即删除您的邮箱地址。如非您本人申请，请忽略并删除本邮件。"
)


def _line(each: Enclosed) -> str:
    numbers = f"票据代码{each.code}，号码{each.number}" if each.code else f"号码{each.number}"
    return (
        f"{NAMES[each.kind]}，{numbers}，{_yuan(each.amount_fen)}元，{each.issued_at.astimezone(SHANGHAI):%Y-%m-%d}开具"
    )


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02}"
