"""Whether somebody can be reached."""

import re
import unicodedata
from typing import Final

PHONE: Final = re.compile(r"\+?[0-9][0-9 -]{4,18}[0-9]")


def good_phone(words: str) -> bool:
    """Whether this looks like a number that can be dialled."""
    return PHONE.fullmatch(unicodedata.normalize("NFKC", words).strip()) is not None
