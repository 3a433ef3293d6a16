"""Receipts (票据): what they must say, by two persons of finance; what a platform refused."""

import uuid
from datetime import datetime

import click

from app.domain.lots.models import Lot
from app.domain.receipts import actions, queries
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import MOMENT, acting, because_option, looking, named, noun
from payments.payees.rules import HIGHEST_VAT, INVOICE_FORMS, VAT_METHODS, InvoiceForm, Vat
from payments.receipts.rules import RECEIPT_STATES

receipts = noun(
    "Receipts (票据): fiscal e-bills and tax invoices, and the terms without which none is issued.",
    "receipts record-terms 0197b5c8-0000-7000-8000-000000000000 --since 2026-01-01T00:00+08:00 "
    "--item-code 3040502020200000000 --item-name 停车服务 --vat-method general --vat 900 --invoice-form plain "
    "--note 税务函〔2026〕1号 "
    "--as wang",
    "receipts confirm-terms 0197b5c8-0000-7000-8000-000000000000 --as lin",
)


@receipts.command("record-terms")
@click.argument("payee", type=click.UUID)
@click.option("--since", type=MOMENT, required=True, help="from when on, with its offset")
@click.option("--item-code", required=True, help="执收项目编码, of an enterprise 税收分类编码")
@click.option("--item-name", required=True, help="as it stands on the receipt")
@click.option("--vat-method", type=click.Choice(list(VAT_METHODS)), help="of an enterprise 一般计税 or 简易计税")
@click.option("--vat", type=click.IntRange(0, HIGHEST_VAT), help="an enterprise's rate in basis points: 900 are 9 %")
@click.option("--invoice-form", type=click.Choice(list(INVOICE_FORMS)), help="of an enterprise 普通明细 or 不动产租赁")
@click.option("--area-unit", help="面积单位, of the form lease")
@click.option("--cross-city/--same-city", default=None, help="跨地（市）标志 是 or 否, of the form lease")
@click.option("--note", required=True, help="on what this rests; with 示例 it is a sample")
@acting
def record_terms(
    by: Actor, payee: uuid.UUID, since: datetime, vat_method: str | None, vat: int | None, invoice_form: str | None,
    area_unit: str | None, *, cross_city: bool | None, **words: str,
) -> Answer:  # fmt: skip
    """Write down what a payee's (its key) receipts must say; it counts when another person has confirmed it.

    Example: flask --app wsgi receipts record-terms 0197b5c8-… --since 2026-01-01T00:00+08:00 --item-code 103072101
    --item-name 停车泊位有偿使用收入 --note 示例 --as wang
    """
    if (vat is None) != (vat_method is None):
        raise click.UsageError("--vat-method and --vat go together")
    told = None if vat is None or vat_method is None else Vat(vat_method, vat)
    if invoice_form is None and (area_unit, cross_city) != (None, None):
        raise click.UsageError("--area-unit and --cross-city go with --invoice-form lease")
    form = None if invoice_form is None else InvoiceForm(invoice_form, area_unit, cross_city)
    made = actions.record_terms(by, payee, since, vat=told, form=form, **words)
    return Note("开票要素已登记，待另一人确认", key=made.key)


@receipts.command("confirm-terms")
@click.argument("terms", type=click.UUID)
@acting
def confirm_terms(by: Actor, terms: uuid.UUID) -> Answer:
    """Confirm terms (their key) that another person recorded.

    Example: flask --app wsgi receipts confirm-terms 0197b5c8-0000-7000-8000-000000000000 --as lin
    """
    return Note("开票要素已确认", key=actions.confirm_terms(by, terms).key)


@receipts.command("end-terms")
@click.argument("terms", type=click.UUID)
@click.option("--at", type=MOMENT, required=True, help="until when, with its offset")
@acting
def end_terms(by: Actor, terms: uuid.UUID, at: datetime) -> Answer:
    """Let terms (their key) hold no longer than to a moment.

    Example: flask --app wsgi receipts end-terms 0197b5c8-… --at 2027-01-01T00:00+08:00 --as lin
    """
    return Note("开票要素已终止", key=actions.end_terms(by, terms, at).key)


@receipts.command("terms")
@click.argument("payee", type=click.UUID)
@acting
def list_terms(by: Actor, payee: uuid.UUID) -> Answer:
    """List what a payee's (its key) receipts say and said.

    Example: flask --app wsgi receipts terms 0197b5c8-0000-7000-8000-000000000000 --as lin
    """
    headings = {
        "key": "编号", "item_code": "项目编码", "item_name": "项目名称", "vat_method": "计税方法",
        "vat_basis_points": "税率（万分之）", "invoice_form": "开票方式", "area_unit": "面积单位",
        "cross_city": "跨地（市）标志",
        "note": "依据", "recorded_by": "登记人", "confirmed_by": "确认人",
    }  # fmt: skip
    return Sheet(headings, [{name: getattr(each, name) for name in headings} for each in queries.terms(by, payee)])


@receipts.command("record-certificate")
@click.argument("lot")
@click.option("--number", required=True, help="产权证书号 or 不动产权证号; 无 where there is none")
@because_option
@acting
def record_certificate(by: Actor, lot: str, number: str, because: str) -> Answer:
    """Write down under which certificate a lot's (key or name) property is held; it counts when another has accepted.

    Example: flask --app wsgi receipts record-certificate 某停车场 --number 无 --because 权属说明 --as wang
    """
    made = actions.record_certificate(by, named(Lot, lot).key, number, because)
    return Note("产权证书已登记，待另一人复核", key=made.key)


@receipts.command("accept-certificate")
@click.argument("certificate", type=click.UUID)
@because_option
@acting
def accept_certificate(by: Actor, certificate: uuid.UUID, because: str) -> Answer:
    """Agree with what another recorded (its key): invoices of lease say it from now on.

    Example: flask --app wsgi receipts accept-certificate 0197b5c8-… --because 已核对原件 --as lin
    """
    return Note("产权证书已复核", number=actions.accept_certificate(by, certificate, because).number)


@receipts.command("reject-certificate")
@click.argument("certificate", type=click.UUID)
@because_option
@acting
def reject_certificate(by: Actor, certificate: uuid.UUID, because: str) -> Answer:
    """Do not agree with what another recorded (its key): what was accepted before counts on.

    Example: flask --app wsgi receipts reject-certificate 0197b5c8-… --because 与原件不符 --as lin
    """
    return Note("产权证书登记已退回", state=actions.reject_certificate(by, certificate, because).state)


@receipts.command("certificates")
@click.argument("lot")
@acting
def list_certificates(by: Actor, lot: str) -> Answer:
    """List what was recorded of the certificate of a lot's (key or name) property, the newest first.

    Example: flask --app wsgi receipts certificates 某大厦停车场 --as lin
    """
    headings = {
        "key": "编号", "number": "产权证书号", "because": "依据", "made_by": "登记人", "made_at": "登记时间",
        "state": "状态", "decided_by": "复核人", "decided_because": "复核意见",
    }  # fmt: skip
    return Sheet(headings, [vars(each) for each in queries.certificates(by, named(Lot, lot).key)])


@receipts.command("uncertified")
@click.argument("payee", type=click.UUID)
@acting
def list_uncertified(by: Actor, payee: uuid.UUID) -> Answer:
    """List the lots of a payee (its key) of whose certificate nothing was accepted: their leases would wait.

    Example: flask --app wsgi receipts uncertified 0197b5c8-0000-7000-8000-000000000000 --as lin
    """
    headings = {"key": "编号", "name": "停车场", "address": "地址"}
    found = queries.uncertified_lots(by, payee)
    return Sheet(headings, [{name: getattr(each, name) for name in headings} for each in found])


@receipts.command("list")
@click.argument("payee", type=click.UUID)
@click.option("--state", type=click.Choice(RECEIPT_STATES), help="only those in this state")
@click.option("--limit", type=click.IntRange(1, 10_000), default=queries.PAGE, show_default=True, help="rows at most")
@looking
def list_receipts(by: Actor, payee: uuid.UUID, state: str | None, limit: int) -> Answer:
    """List bills and invoices of a payee (its key), the newest first.

    Example: flask --app wsgi receipts list 0197b5c8-… --state refused --as lin
    """
    headings = {
        "key": "编号", "kind": "种类", "colour": "蓝/红", "amount_fen": "金额（分）", "state": "状态",
        "made_at": "生成时间", "number": "票据号码", "refusal": "退回原因",
    }  # fmt: skip
    return Sheet(headings, [vars(each) for each in queries.receipts_of(by, payee, state, limit)])


@receipts.command("retry")
@click.argument("receipt", type=click.UUID)
@acting
def retry(by: Actor, receipt: uuid.UUID) -> Answer:
    """Ask anew for a bill or invoice (its key) that its platform refused, when the cause is mended.

    Example: flask --app wsgi receipts retry 0197b5c8-0000-7000-8000-000000000000 --as lin
    """
    actions.retry(by, receipt)
    return Note("将重新申请开票")
