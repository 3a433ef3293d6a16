"""A motorist keeps the titles (抬头) to which receipts are made out."""

import uuid

from sqlalchemy import func, select, update

from app.kernel import clock
from app.kernel.credit_codes import is_credit_code, normal_credit_code
from app.kernel.crypto import seal
from app.kernel.db import current, refusing, transaction
from app.kernel.ids import new_key
from app.kernel.refusals import Conflict, Invalid
from payments.receipts.models import InvoiceTitle
from payments.receipts.queries import own_title, title_place

MOST = 20
LONGEST_NAME = 100


class TaxNumberWrong(Invalid):
    """Not a unified social credit code with the right check digit."""

    code = "tax_number_wrong"
    message = "纳税人识别号有误，请核对（18位统一社会信用代码，末位为校验码）"


class TitleWithoutName(Invalid):
    """A title has a name of 1 to 100 characters, each of which can be seen."""

    code = "title_name_wrong"
    message = "抬头名称须为1至100个可见字符"


class TitleKnown(Conflict):
    """The motorist keeps a title of this company already."""

    code = "title_known"
    message = "该企业抬头已保存"


class TooManyTitles(Conflict):
    """A motorist keeps no more than 20 titles."""

    code = "too_many_titles"
    message = "最多保存20个抬头，请先删除不用的"


def save_title(motorist_id: int, name: str, tax_number: str | None, *, usual: bool) -> InvoiceTitle:
    """Keep a title; with a tax number it is a company's. A `usual` one is used where none is named.

    Refuses `TitleWithoutName`, `TaxNumberWrong`, `TitleKnown`, `TooManyTitles`.
    """
    kept_name, number = " ".join(name.split()), normal_credit_code(tax_number) if tax_number else None
    if not 0 < len(kept_name) <= LONGEST_NAME or not kept_name.isprintable():
        raise TitleWithoutName
    if number is not None and not is_credit_code(number):
        raise TaxNumberWrong
    with transaction():
        if _count(motorist_id) >= MOST:
            raise TooManyTitles
        if usual:
            _no_longer_usual(motorist_id)
        key = new_key()
        title = InvoiceTitle(
            key=key, motorist_id=motorist_id, name=seal(kept_name, title_place(key)), tax_number=number, is_usual=usual,
            made_at=clock.now(),
        )  # fmt: skip
        with refusing({"a_motorist_keeps_a_company_once": TitleKnown}) as session:
            session.add(title)
            session.flush()
        return title


def remove_title(motorist_id: int, key: uuid.UUID) -> None:
    """Use a title no longer; what was issued to it stays. Refuses `NoSuchTitle`."""
    with transaction():
        own_title(motorist_id, key).removed_at = clock.now()


def empty_titles(motorist_id: int) -> None:
    """Forget names and tax numbers of every title that a motorist keeps or kept; what was issued stays as issued."""
    with transaction():
        now = clock.now()
        mine = update(InvoiceTitle).where(InvoiceTitle.motorist_id == motorist_id)
        removed_at = func.coalesce(InvoiceTitle.removed_at, now)
        current().execute(mine.values(name=b"", tax_number=None, is_usual=False, removed_at=removed_at))


def _count(motorist_id: int) -> int:
    kept = select(func.count()).select_from(InvoiceTitle).filter_by(motorist_id=motorist_id, removed_at=None)
    return current().scalar(kept) or 0


def _no_longer_usual(motorist_id: int) -> None:
    usual = update(InvoiceTitle).where(InvoiceTitle.motorist_id == motorist_id, InvoiceTitle.is_usual)
    current().execute(usual.values(is_usual=False))
