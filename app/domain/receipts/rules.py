"""What a motorist is told of a receipt."""

from typing import Final

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


def message_of(state: str, kind: str, amount_fen: int) -> tuple[str, str, str] | None:
    """Kind, title and body of what a motorist is told; none when it has moved on to where nothing is to be said."""
    if state not in TOLD:
        return None
    word, title, body = TOLD[state]
    yuan = f"{amount_fen // 100}.{amount_fen % 100:02}"
    return f"receipt_{word}", title, body.format(yuan=yuan, name=NAMES[kind])
