"""Unified social credit codes (统一社会信用代码, GB 32100-2015); an enterprise's is its tax number too."""

import re
import unicodedata
from typing import Final

CREDIT_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 signs of GB 32100-2015: I, O, S, V and Z are left out."""
CREDIT_CODE: Final = re.compile(rf"[{CREDIT_ALPHABET}]{{2}}[0-9]{{6}}[{CREDIT_ALPHABET}]{{10}}")


def normal_credit_code(words: str) -> str:
    """A unified social credit code as it is kept: half width, upper case, without blanks."""
    return "".join(unicodedata.normalize("NFKC", words).split()).upper()


def credit_check_digit(first_17: str) -> str:
    """The eighteenth sign of a code (GB 32100-2015): weights 3^n modulo 31 over the first seventeen."""
    total = sum(CREDIT_ALPHABET.index(sign) * pow(3, place, 31) for place, sign in enumerate(first_17))
    return CREDIT_ALPHABET[-total % 31]


def is_credit_code(code: str) -> bool:
    """Whether a normal code has the form of GB 32100-2015 and its check digit."""
    return CREDIT_CODE.fullmatch(code) is not None and code[-1] == credit_check_digit(code[:-1])
