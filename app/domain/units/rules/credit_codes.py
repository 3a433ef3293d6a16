"""Unified social credit codes of units: refused when wrong, and made for samples."""

from app.domain.units.rules.words import CITY
from app.kernel.credit_codes import credit_check_digit, is_credit_code, normal_credit_code
from app.kernel.refusals import Invalid


class CreditCodeWrong(Invalid):
    """Not 18 signs of GB 32100-2015 with the right check digit."""

    code = "credit_code_wrong"
    message = "统一社会信用代码有误，请核对（18位，末位为校验码）"


def sample_credit_code(kind: str, number: int) -> str:
    """A code for a sample of a kind of unit, with a right check digit: nobody's body code reads XX and seven digits."""
    registrar = {"organ": "11", "institution": "12", "enterprise": "91"}[kind]
    first_17 = f"{registrar}{CITY}XX{number:07d}"
    return first_17 + credit_check_digit(first_17)


def good_credit_code(words: str) -> str:
    """A code as it is kept. Refuses `CreditCodeWrong`."""
    code = normal_credit_code(words)
    if not is_credit_code(code):
        raise CreditCodeWrong
    return code
