"""Which e-mail addresses we write to: plain ones (RFC 5321), and nothing that could mean something else on its way.

No spaces, line ends, quotes, comments, names or lists of addresses; no `%` or `!`, which some servers read as a way to
go; letters of ASCII only. A domain in Chinese is written in its `xn--` form: an address that looks like another one is
then seen to be another one.
"""

import re
from typing import Final

LONGEST: Final = 254
"""RFC 5321 §4.5.3.1.3: 256 with the angle brackets."""
_LONGEST_LOCAL: Final = 64
_WORD: Final = r"[A-Za-z0-9_+=~'&-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_TOP: Final = r"(?:[A-Za-z]{2,63}|[Xx][Nn]--[A-Za-z0-9-]{1,58}[A-Za-z0-9])"
_ADDRESS: Final = re.compile(rf"(?P<local>{_WORD}(?:\.{_WORD})*)@(?P<domain>(?:{_LABEL}\.)+{_TOP})")


def is_address(text: str) -> bool:
    """Whether a text is one address that we write to, and nothing beside it."""
    found = _ADDRESS.fullmatch(text) if len(text) <= LONGEST else None
    return found is not None and len(found["local"]) <= _LONGEST_LOCAL


def domain_of(address: str) -> str:
    """What stands behind the @, in small letters."""
    return address.rpartition("@")[2].lower()
