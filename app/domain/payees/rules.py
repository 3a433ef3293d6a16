"""What must be told of a payee before it is written down; the codes themselves are finance's word."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from app.kernel.credit_codes import is_credit_code
from app.kernel.refusals import Invalid
from payments.payees.rules import EnterpriseParticulars, FiscalParticulars, Particulars

WORDS: Final = {
    "name": "名称",
    "collecting_unit_code": "执收单位编码",
    "collecting_unit_name": "执收单位名称",
    "item_code": "非税收入项目编码",
    "treasury_target": "缴入账户",
    "tax_number": "纳税人识别号",
    "bank_name": "开户银行",
    "bank_account": "银行账号",
}
"""How the particulars are called."""
LEVELS: Final = {"city": "市级", "district": "区级"}
REGIMES: Final = {"TREASURY": "财政", "SOE": "企业"}
_CODES: Final = {"collecting_unit_code": re.compile(r"[0-9A-Z]{3,32}"), "item_code": re.compile(r"[0-9A-Z]{3,32}")}
_ACCOUNT: Final = re.compile(r"[0-9]{8,32}")


class ParticularsMissing(Invalid):
    """Something that must be told is empty; `details` says what."""

    code = "payee_particulars_missing"
    message = "收费主体要素不全"


class FiscalCodeUnfit(Invalid):
    """The non-tax system's codes are figures and capital letters; `details` says which one is not."""

    code = "fiscal_code_unfit"
    message = "财政编码应为3至32位数字或大写字母"


class LevelUnfit(Invalid):
    """A district's treasury names its district, the city's none."""

    code = "payee_level_unfit"
    message = "区级财政须注明所属区县，市级财政不得注明"


class TaxNumberUnfit(Invalid):
    """An enterprise's tax number is its unified social credit code, whose check digit is wrong."""

    code = "tax_number_unfit"
    message = "纳税人识别号不正确：应为18位统一社会信用代码，请核对校验位"


class BankAccountUnfit(Invalid):
    """A bank account is 8 to 32 digits."""

    code = "bank_account_unfit"
    message = "银行账号应为8至32位数字"


def check(name: str, particulars: Particulars) -> None:
    """Let particulars pass that can be right.

    Refuses `ParticularsMissing`, `LevelUnfit`, `FiscalCodeUnfit`, `TaxNumberUnfit`, `BankAccountUnfit`.
    """
    missing = list(_missing(name, particulars))
    if missing:
        raise ParticularsMissing(missing=missing)
    if isinstance(particulars, FiscalParticulars):
        _check_fiscal(particulars)
    else:
        _check_enterprise(particulars)


def _missing(name: str, particulars: Particulars) -> Iterator[str]:
    told = {"name": name, **asdict(particulars)}
    return (word for field, word in WORDS.items() if field in told and not told[field].strip())


def _check_fiscal(told: FiscalParticulars) -> None:
    if told.level not in LEVELS or (told.level == "district") != (told.district_code is not None):
        raise LevelUnfit
    for field, form in _CODES.items():
        if not form.fullmatch(getattr(told, field)):
            raise FiscalCodeUnfit(which=WORDS[field])


def _check_enterprise(told: EnterpriseParticulars) -> None:
    if not is_credit_code(told.tax_number):
        raise TaxNumberUnfit
    if not _ACCOUNT.fullmatch(told.bank_account):
        raise BankAccountUnfit
