"""How a bill and an invoice look on paper: the facts of each kind in their customary places."""

from collections.abc import Sequence

from app.adapters.documents import Paper, Table
from app.kernel.clock import SHANGHAI
from app.kernel.money import Fen
from payments.payees.rules import INVOICE_FORMS, LEASE
from payments.receipts.queries import Written
from payments.receipts.rules import FISCAL_EBILL, RED
from payments.receipts.rules.capitals import in_capitals

A_PERSON = "个人"
FISCAL_NOTES = (
    "本页为财政电子票据信息，票据以财政票据平台的版式文件为准，可凭票据代码、号码和校验码查验。",
    "所收款项依法缴入同级国库，实行收支两条线管理。",
)
TAX_NOTES = (
    "本页为数电发票信息，发票以税务数字账户中的版式文件为准，可凭发票号码在国家税务总局全国增值税发票查验平台查验。",
)


def paper_of(said: Written) -> Paper:
    """The paper of an issued receipt."""
    return _fiscal(said) if said.receipt.kind == FISCAL_EBILL else _tax(said)


def _fiscal(said: Written) -> Paper:
    receipt, payee = said.receipt, said.payee
    return Paper(
        title="非税收入统一票据（电子）",
        numbers=[
            ("票据代码", receipt.code or ""), ("票据号码", receipt.number or ""), ("校验码", receipt.check_code or ""),
            ("开票日期", _day(said)),
        ],
        fields=[
            ("交款人", said.payer_name or A_PERSON), ("统一社会信用代码", receipt.payer_tax_number or "—"),
            ("执收单位", payee.collecting_unit_name or payee.name), ("执收单位编码", payee.collecting_unit_code or ""),
            *_original(said),
        ],
        table=Table(
            ["项目编码", "项目名称", "说明", "单位", "数量", "金额（元）"],
            [
                [said.terms.item_code, said.terms.item_name, about, "次", "1", _yuan(said, fen)]
                for about, fen, _ in said.lines
            ],
            ["left", "left", "left", "left", "right", "right"], [2.2, 2.6, 4.2, 0.9, 0.9, 1.6],
        ),
        totals=[("金额合计（大写）", _capitals(said)), ("金额合计（小写）", f"￥{_yuan(said, receipt.amount_fen)}")],
        remark=said.remark, notes=FISCAL_NOTES, qr=_code(said, [receipt.code, receipt.number, receipt.check_code]),
        stamp=_stamp(said),
    )  # fmt: skip


def _tax(said: Written) -> Paper:
    receipt, payee, terms = said.receipt, said.payee, said.terms
    rate = f"{(terms.vat_basis_points or 0) / 100:g}%"
    return Paper(
        title="电子发票（普通发票）",
        numbers=[("发票号码", receipt.number or ""), ("开票日期", _day(said))],
        fields=[
            ("购买方名称", said.payer_name or A_PERSON), ("购买方纳税人识别号", receipt.payer_tax_number or "—"),
            ("销售方名称", payee.name), ("销售方纳税人识别号", payee.tax_number or ""), *_original(said),
        ],
        table=Table(
            ["项目名称", "说明", "数量", "金额（元）", "税率", "税额（元）"],
            [
                [terms.item_name, about, "—" if said.lease else "1", _yuan(said, fen - tax), rate, _yuan(said, tax)]
                for about, fen, tax in said.lines
            ],
            ["left", "left", "right", "right", "right", "right"], [2.2, 4.4, 0.8, 1.6, 0.9, 1.5],
        ),
        totals=[
            ("金额合计", f"￥{_yuan(said, receipt.amount_fen - receipt.tax_fen)}"),
            ("税额合计", f"￥{_yuan(said, receipt.tax_fen)}"),
            ("价税合计（大写）", _capitals(said)), ("价税合计（小写）", f"￥{_yuan(said, receipt.amount_fen)}"),
        ],
        remark=said.remark, notes=TAX_NOTES, qr=_code(said, [receipt.number]), stamp=_stamp(said),
        sections=_lease(said),
    )  # fmt: skip


def _lease(said: Written) -> Sequence[tuple[str, Table]]:
    """What stands on an invoice of lease beside its line."""
    lease, terms = said.lease, said.terms
    if lease is None:
        return []
    table = Table(
        ["不动产地址", "租赁期起止", "跨地（市）标志", "面积单位", "产权证书/不动产权证号"],
        [[
            lease.address, f"{lease.begins_on.isoformat()} 至 {lease.ends_on.isoformat()}",
            "是" if terms.cross_city else "否", terms.area_unit or "", lease.certificate_number,
        ]],
        ["left", "left", "left", "left", "left"], [3.2, 3.0, 2.0, 1.3, 2.7],
    )  # fmt: skip
    return [(INVOICE_FORMS[LEASE], table)]


def _code(said: Written, numbers: Sequence[str | None]) -> str:
    """What the code says: numbers, sum and day, as a verifier wants them; nobody's name."""
    return ",".join([*(each or "" for each in numbers), _yuan(said, said.receipt.amount_fen), _day(said)])


def _original(said: Written) -> list[tuple[str, str]]:
    if said.original is None:
        return []
    told = f"{said.original.code or ''} {said.original.number or ''}".strip()
    return [("红字冲销原票据", told)]


def _stamp(said: Written) -> str:
    if said.receipt.colour == RED:
        return "红字冲销"
    return {"reversed": "已冲红", "reversing": "冲红中"}.get(said.receipt.state, "")


def _capitals(said: Written) -> str:
    words = in_capitals(said.receipt.amount_fen)
    return f"（负数）{words}" if said.receipt.colour == RED else words


def _yuan(said: Written, fen: Fen) -> str:
    sign = "-" if said.receipt.colour == RED else ""
    return f"{sign}{fen // 100}.{fen % 100:02d}"


def _day(said: Written) -> str:
    issued_at = said.receipt.issued_at
    assert issued_at is not None
    return f"{issued_at.astimezone(SHANGHAI):%Y年%m月%d日}"
