"""Unified social credit codes (统一社会信用代码, GB 32100-2015)."""

import re
import unicodedata
from typing import Final

from app.domain.units.rules.words import CITY
from app.kernel.refusals import Invalid

CREDIT_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 signs of GB 32100-2015: I, O, S, V and Z are left out."""
CREDIT_CODE: Final = re.compile(rf"[{CREDIT_ALPHABET}]{{2}}[0-9]{{6}}[{CREDIT_ALPHABET}]{{10}}")


class CreditCodeWrong(Invalid):
    """Not 18 signs of GB 32100-2015 with the right check digit."""

    code = "credit_code_wrong"
    message = "统一社会信用代码有误，请核对（18位，末位为校验码）"


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


def good_credit_code(words: str) -> str:
    """A code as it is kept. Refuses `CreditCodeWrong`."""
    code = normal_credit_code(words)
    if not is_credit_code(code):
        raise CreditCodeWrong
    return code
