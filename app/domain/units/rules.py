"""What may stand in the register of units: districts, kinds, authorities, grounds of exclusion, credit codes."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Final

from app.kernel.refusals import Invalid

CITY: Final = "330100"

DISTRICTS: Final = {
    CITY: "杭州市",
    "330102": "上城区",
    "330105": "拱墅区",
    "330106": "西湖区",
    "330108": "滨江区",
    "330109": "萧山区",
    "330110": "余杭区",
    "330111": "富阳区",
    "330112": "临安区",
    "330113": "临平区",
    "330114": "钱塘区",
    "330122": "桐庐县",
    "330127": "淳安县",
    "330182": "建德市",
}
"""The city and its thirteen districts, counties and county-level city."""

KINDS: Final = {"organ": "机关", "institution": "事业单位", "enterprise": "国有企业"}
LEVELS: Final = {"city": "市级", "district": "区、县（市）级"}
AUTHORITIES: Final = {
    "government_offices": "市机关事务局",
    "state_assets": "市国资委",
    "district": "区、县（市）政府",
    "department": "主管部门",
}
"""Who urges a unit on (N4.2, N4.5, N4.6)."""
GROUNDS: Final = {
    "secret": "涉密单位",
    "special_security": "有特殊安全要求的单位",
    "always_open": "已全时段对外开放停车场的单位",
    "school": "中小学及幼儿园",
    "hospital": "医院",
    "care": "养老托幼机构",
}
"""The six grounds on which a unit does not open (N2.1)."""

CREDIT_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 signs of GB 32100-2015: I, O, S, V and Z are left out."""
CREDIT_CODE: Final = re.compile(rf"[{CREDIT_ALPHABET}]{{2}}[0-9]{{6}}[{CREDIT_ALPHABET}]{{10}}")

SERVICE_PHONE: Final = re.compile(r"[0-9 +-]{5,20}")


def normal_credit_code(words: str) -> str:
    """A unified social credit code as it is kept: half width, upper case, without blanks."""
    return "".join(unicodedata.normalize("NFKC", words).split()).upper()


def credit_check_digit(first_17: str) -> str:
    """The eighteenth sign of a code (GB 32100-2015): weights 3^n modulo 31 over the first seventeen."""
    total = sum(CREDIT_ALPHABET.index(sign) * pow(3, place, 31) for place, sign in enumerate(first_17))
    return CREDIT_ALPHABET[-total % 31]


def sample_credit_code(kind: str, number: int) -> str:
    """A code for a sample of a kind of unit, with a right check digit: nobody's body code reads XX and seven digits."""
    registrar = {"organ": "11", "institution": "12", "enterprise": "91"}[kind]
    first_17 = f"{registrar}{CITY}XX{number:07d}"
    return first_17 + credit_check_digit(first_17)


def is_credit_code(code: str) -> bool:
    """Whether a normal code has the form of GB 32100-2015 and its check digit."""
    return CREDIT_CODE.fullmatch(code) is not None and code[-1] == credit_check_digit(code[:-1])


class CreditCodeWrong(Invalid):
    """Not 18 signs of GB 32100-2015 with the right check digit."""

    code = "credit_code_wrong"
    message = "统一社会信用代码有误，请核对（18位，末位为校验码）"


class NoSuchKind(Invalid):
    """A unit is an organ, an institution or an enterprise, of the city or of a district (N2.1)."""

    code = "no_such_kind"
    message = "单位类别须为机关、事业单位或国有企业，层级须为市级或区、县（市）级"


class NoSuchDistrict(Invalid):
    """Not a district of Hangzhou; the city's own code is for units of the city alone."""

    code = "no_such_district"
    message = "所在区、县（市）代码有误；区、县（市）级单位须填写其所在区、县（市）"


class AuthorityDoesNotFit(Invalid):
    """Each kind and level has its own supervising authority, or a department that is named (N4.2, N4.5, N4.6)."""

    code = "authority_does_not_fit"
    message = "主管单位与单位类别、层级不符；由主管部门督促的，须且仅须填写部门名称"


class OfficeHoursMakeNoSense(Invalid):
    """Work begins and ends at the same time."""

    code = "office_hours_make_no_sense"
    message = "上班时间与下班时间不能相同"


class WordsMissing(Invalid):
    """Something that must be told in words is empty: a name, a reason, evidence."""

    code = "words_missing"
    message = "名称、理由、依据等必填内容不能为空"


class PhoneWrong(Invalid):
    """Not a telephone number."""

    code = "service_phone_wrong"
    message = "服务电话有误"


class NoSuchGround(Invalid):
    """Not one of the notice's six grounds of exclusion (N2.1)."""

    code = "no_such_ground"
    message = "例外情形须为通知列明的六类之一"


def usual_authority(kind: str, level: str) -> str:
    """Who supervises such a unit where no department does (N4.2, N4.6)."""
    if level == "district":
        return "district"
    return "state_assets" if kind == "enterprise" else "government_offices"


def said(words: str) -> str:
    """Words without blanks around them. Refuses `WordsMissing` when none are left."""
    plain = words.strip()
    if not plain:
        raise WordsMissing
    return plain


def good_credit_code(words: str) -> str:
    """A code as it is kept. Refuses `CreditCodeWrong`."""
    code = normal_credit_code(words)
    if not is_credit_code(code):
        raise CreditCodeWrong
    return code


def good_phone(words: str) -> str:
    """A telephone number as it is kept: half width. Refuses `PhoneWrong`."""
    phone = unicodedata.normalize("NFKC", words).strip()
    if not SERVICE_PHONE.fullmatch(phone):
        raise PhoneWrong
    return phone


@dataclass(frozen=True)
class NewUnit:
    """What is told of an opening unit (N2.1). Office hours that end before they begin end on the next day.

    Without an authority the usual one of its kind and level is meant; a name belongs to a department alone.
    """

    name: str
    credit_code: str
    kind: str
    level: str
    district_code: str
    office_begins: time
    office_ends: time
    authority: str | None = None
    authority_name: str | None = None

    def checked(self) -> "NewUnit":
        """The same as it is kept.

        Refuses `WordsMissing`, `CreditCodeWrong`, `NoSuchKind`, `NoSuchDistrict`, `AuthorityDoesNotFit`,
        `OfficeHoursMakeNoSense`.
        """
        if self.kind not in KINDS or self.level not in LEVELS:
            raise NoSuchKind
        if self.district_code not in DISTRICTS or (self.level == "district" and self.district_code == CITY):
            raise NoSuchDistrict
        check_hours(self.office_begins, self.office_ends)
        authority, named = fitting_authority(self.kind, self.level, self.authority, self.authority_name)
        return replace(
            self, name=said(self.name), credit_code=good_credit_code(self.credit_code), authority=authority,
            authority_name=named,
        )  # fmt: skip


def check_hours(begins: time, ends: time) -> None:
    """Refuse `OfficeHoursMakeNoSense` when a day of work takes no time."""
    if begins == ends:
        raise OfficeHoursMakeNoSense


def fitting_authority(kind: str, level: str, told: str | None, name: str | None) -> tuple[str, str | None]:
    """The supervising authority and, of a department, its name. Refuses `AuthorityDoesNotFit`."""
    usual = usual_authority(kind, level)
    authority, named = told or usual, (name or "").strip() or None
    if authority not in {usual, "department"} or (authority == "department") != (named is not None):
        raise AuthorityDoesNotFit
    return authority, named


@dataclass(frozen=True)
class NewOperator:
    """What is told of an operator (N3.2); its service phone is shown to the public."""

    name: str
    credit_code: str
    service_phone: str

    def checked(self) -> "NewOperator":
        """The same as it is kept. Refuses `WordsMissing`, `CreditCodeWrong`, `PhoneWrong`."""
        return NewOperator(said(self.name), good_credit_code(self.credit_code), good_phone(self.service_phone))


class AgreementIncomplete(Invalid):
    """An agreement states bays, hours, services, both sides' duties, its lots and a term (N4.7)."""

    code = "agreement_incomplete"
    message = "委托运营服务协议须写明停车场、共享泊位数、开放时间、服务内容、双方权利义务和起止时间"


@dataclass(frozen=True)
class Terms:
    """What an operating agreement says (N4.7), for which lots, and for the span [begins_at, ends_at)."""

    lot_ids: Collection[int]
    shared_bays: int
    hours_text: str
    services: str
    unit_duties: str
    operator_duties: str
    begins_at: datetime
    ends_at: datetime

    def check(self) -> None:
        """Refuse `AgreementIncomplete` when one of the four obligatory contents, a lot or a term is missing."""
        words = (self.hours_text, self.services, self.unit_duties, self.operator_duties)
        if not self.lot_ids or self.shared_bays < 1 or self.ends_at <= self.begins_at:
            raise AgreementIncomplete
        if not all(each.strip() for each in words):
            raise AgreementIncomplete
