"""What is told of a unit or an operator before it stands in the register."""

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import time
from typing import Final

from app.domain.units.rules.credit_codes import good_credit_code
from app.domain.units.rules.words import CITY, DISTRICTS, KINDS, LEVELS
from app.kernel.refusals import Invalid

SERVICE_PHONE: Final = re.compile(r"[0-9 +-]{5,20}")


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
