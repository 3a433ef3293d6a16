"""Receipts of what was paid: fiscal bills by themselves, invoices when asked for; as PDF behind a link or by e-mail."""

import uuid
from typing import Any

import marshmallow as ma

from app.adapters.mail.addresses import LONGEST
from app.domain.receipts.actions import ask_mail, check_mail
from app.domain.receipts.models import ReceiptMail
from app.domain.receipts.queries import own_mail
from app.domain.receipts.rules import MOST_IN_A_MAIL
from app.kernel import clock
from app.kernel.crypto import blind_index
from app.kernel.idempotency import Answer
from app.kernel.refusals import Unavailable
from app.web import limits
from app.web.links import Links
from app.web.once import once, remember, wants_key, was_answered
from app.web.policy import admits
from app.wiring import wiring
from miniprogram_api import cursor
from miniprogram_api.door import PAGE, asking, motorist, noun
from miniprogram_api.fields import Flag, Key, Several, Text, Wish, fen
from payments.receipts.actions import ask_invoice, remove_title, save_title
from payments.receipts.models import InvoiceTitle
from payments.receipts.queries import NoSuchReceipt, OwnReceipt, own_receipt, own_receipts, own_titles

blueprint = noun("receipts", "票据")
TO_ONE_ADDRESS = "20/day"
"""Whoever asks for it: nobody's mailbox is filled by many accounts."""


class Receipt(ma.Schema):
    key = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True, metadata={"description": "fiscal_ebill 财政电子票据，tax_invoice 数电票"})
    amount_fen = fen("票面金额，已退部分除外")
    state = ma.fields.String(
        required=True,
        metadata={
            "description": "owed 可申请开票，wanted 开具中，issued 已开具，reversing 冲红中，returned 已全部退款"
        },
    )
    requested_at = ma.fields.AwareDateTime(required=True)
    code = ma.fields.String(required=True, allow_none=True, metadata={"description": "票据代码，数电票为空"})
    number = ma.fields.String(required=True, allow_none=True, metadata={"description": "票据号码或发票号码"})
    issued_at = ma.fields.AwareDateTime(required=True, allow_none=True)


class ReceiptPage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(Receipt), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


class Receipts(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(Receipt), required=True)


class InvoiceWish(Wish):
    receipt_keys = Several(Key(), 50, required=True, metadata={"description": "合开在一张发票上的票据编号"})
    title_key = Key(allow_none=True, metadata={"description": "抬头编号；不填则开给个人"})


class ShownLink(ma.Schema):
    url = ma.fields.String(required=True, metadata={"description": "PDF 下载地址，10 分钟内有效"})
    expires_at = ma.fields.AwareDateTime(required=True)


class MailNotOffered(Unavailable):
    """No mail server is configured, so nothing is promised."""

    code = "receipt_mail_not_offered"
    message = "暂未开通邮件发送，请在“我的票据”中下载"


class MailWish(Wish):
    receipt_keys = Several(
        Key(), MOST_IN_A_MAIL, required=True,
        metadata={"description": "要发送的已开具票据的编号；合开的发票只附一次"},
    )  # fmt: skip
    email = Text(LONGEST, required=True, metadata={"description": "收件邮箱，仅用于本次发送；中文域名用 xn-- 形式"})


class ShownMail(ma.Schema):
    key = ma.fields.UUID(required=True)
    state = ma.fields.String(
        required=True,
        metadata={
            "description": "due 待发送，sending 发送中，delivered 已交邮件系统，refused 被拒收，given_up 超时未送达"
        },
    )
    asked_at = ma.fields.AwareDateTime(required=True)
    ended_at = ma.fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "结束时刻，此后平台不再保存邮箱地址"}
    )


class ShownTitle(ma.Schema):
    key = ma.fields.UUID(required=True)
    name = ma.fields.String(required=True)
    tax_number = ma.fields.String(required=True, allow_none=True)
    is_usual = ma.fields.Boolean(required=True, metadata={"description": "财政电子票据默认开给此抬头"})


class Titles(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ShownTitle), required=True)


class TitleWish(Wish):
    name = Text(100, required=True)
    tax_number = Text(40, allow_none=True, metadata={"description": "企业填统一社会信用代码；个人不填"})
    is_usual = Flag(load_default=False)


@blueprint.get("/receipts")
@admits(motorist())
@blueprint.takes(cursor.Page, location="query")
@blueprint.gives(200, ReceiptPage)
@blueprint.refuses(401, 429)
def list_receipts(page: dict[str, Any]) -> dict[str, Any]:
    """我的票据"""
    rows, last = cursor.cut(own_receipts(asking(), cursor.unseal(page.get("cursor")), PAGE + 1), PAGE)
    return {"items": [_shown(row) for row in rows], "next_cursor": cursor.seal(last.request.id) if last else None}


@blueprint.get("/receipts/<uuid:key>")
@admits(motorist())
@blueprint.gives(200, Receipt)
@blueprint.refuses(401, 404, 429)
def one_receipt(key: uuid.UUID) -> dict[str, Any]:
    """一张票据"""
    return _shown(own_receipt(asking(), key))


@blueprint.post("/receipts/invoices")
@admits(motorist("12/minute"))
@once
@blueprint.takes(InvoiceWish)
@blueprint.gives(201, Receipts)
@blueprint.refuses(400, 401, 404, 409, 422, 429)
def want_invoice(wish: dict[str, Any]) -> dict[str, Any]:
    """申请发票

    企业收费主体的停车费开数电票，多次停车可合开一张；同一次停车只开一次。
    按不动产经营租赁服务开票的收费主体，一张发票只开一次停车（leases_apart）。财政电子票据自动开具，无需申请。
    """
    asked = ask_invoice(asking(), wish["receipt_keys"], wish.get("title_key"))
    return {"items": [_shown(own_receipt(asking(), each.key)) for each in asked]}


@blueprint.get("/receipts/<uuid:key>/file")
@admits(motorist("30/minute"))
@blueprint.gives(200, ShownLink)
@blueprint.refuses(401, 404, 429)
def receipt_file(key: uuid.UUID) -> dict[str, Any]:
    """票据 PDF 的下载地址

    地址不含个人信息，限时有效，到期后重新获取。
    """
    issued = own_receipt(asking(), key).issued
    if issued is None:
        raise NoSuchReceipt
    link = Links(wiring().settings.jwt_keys).to_receipt(issued.key, clock.now())
    return {"url": f"/receipts/files/{link.token}", "expires_at": link.expires_at}


@blueprint.post("/receipts/mails")
@admits(motorist("6/minute", calls_outside=True))
@wants_key
@blueprint.takes(MailWish)
@blueprint.gives(202, ShownMail)
@blueprint.refuses(400, 401, 404, 409, 422, 429, 503)
def mail_receipts(wish: dict[str, Any]) -> ReceiptMail:
    """把票据发送到邮箱

    已开具的票据以 PDF 附件发出，一封邮件最多 20 张。邮箱地址加密保存，送达、被拒收或超时后即删除；未送达的另行通知。
    """
    if wiring().mail is None:
        raise MailNotOffered
    if not was_answered():
        _count(wish)
    asked = remember(lambda: _asked(wish))
    return own_mail(asking(), uuid.UUID(asked.body["key"]))


def _asked(wish: dict[str, Any]) -> Answer:
    return Answer(202, {"key": str(ask_mail(asking(), wish["receipt_keys"], wish["email"]).key)})


def _count(wish: dict[str, Any]) -> None:
    """Count for the address what can be asked for: what is refused uses nobody's day up. Outside transactions."""
    check_mail(asking(), wish["receipt_keys"], wish["email"])
    limits.take(TO_ONE_ADDRESS, f"receipt_mails_to:{blind_index('receipt_mail.to', wish['email'].lower()).hex()}")


@blueprint.get("/receipts/mails/<uuid:key>")
@admits(motorist())
@blueprint.gives(200, ShownMail)
@blueprint.refuses(401, 404, 429)
def one_mail(key: uuid.UUID) -> ReceiptMail:
    """一封票据邮件的进展"""
    return own_mail(asking(), key)


@blueprint.get("/invoice-titles")
@admits(motorist())
@blueprint.gives(200, Titles)
@blueprint.refuses(401, 429)
def list_titles() -> dict[str, Any]:
    """我的发票抬头"""
    return {"items": [_title(title, name) for title, name in own_titles(asking())]}


@blueprint.post("/invoice-titles")
@admits(motorist("12/minute"))
@once
@blueprint.takes(TitleWish)
@blueprint.gives(201, ShownTitle)
@blueprint.refuses(400, 401, 409, 422, 429)
def add_title(wish: dict[str, Any]) -> dict[str, Any]:
    """保存发票抬头"""
    made = save_title(asking(), wish["name"], wish.get("tax_number"), usual=wish["is_usual"])
    return next(_title(title, name) for title, name in own_titles(asking()) if title.key == made.key)


@blueprint.delete("/invoice-titles/<uuid:key>")
@admits(motorist())
@blueprint.gives(204)
@blueprint.refuses(401, 404, 429)
def drop_title(key: uuid.UUID) -> None:
    """删除发票抬头"""
    remove_title(asking(), key)


def _shown(own: OwnReceipt) -> dict[str, Any]:
    request, issued = own.request, own.issued
    return {
        "key": request.key,
        "kind": request.kind,
        "amount_fen": own.amount_fen,
        "state": own.state,
        "requested_at": request.requested_at,
        "code": (issued.code or None) if issued else None,
        "number": issued.number if issued else None,
        "issued_at": issued.issued_at if issued else None,
    }


def _title(title: InvoiceTitle, name: str) -> dict[str, Any]:
    return {"key": title.key, "name": name, "tax_number": title.tax_number, "is_usual": title.is_usual}
