"""One way to write things down before they are hashed: each field as text, with its length in front.

    field  = length in bytes (4 bytes, the highest first) + UTF-8
    digest = SHA-256 over the fields one after the other, the first of which says what it is

No two different lists of fields give the same bytes, and any language writes them in three lines.
"""

import hashlib
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def digest_of(*fields: str | int) -> bytes:
    """SHA-256 over the fields; a number is written in decimal digits."""
    return hashlib.sha256(b"".join([written(str(field)) for field in fields])).digest()


def written(field: str) -> bytes:
    """One field as it is hashed."""
    text = field.encode()
    return len(text).to_bytes(4, "big") + text


def microseconds(moment: datetime) -> int:
    """A moment as whole microseconds since 1970 in UTC, which is all that PostgreSQL keeps of it."""
    return (moment - _EPOCH) // _MICROSECOND
