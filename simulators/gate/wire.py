"""gate/v1 on the wire: signatures, moments and the digest of a list, from the protocol's text alone."""

import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

LIST_FIELDS = ("row_id", "plate", "colour", "not_before", "not_after", "direction")


def digest(body: bytes) -> str:
    """Lower-case hex SHA-256."""
    return sha256(body).hexdigest()


def signature(key: bytes, *parts: str) -> str:
    """HMAC-SHA256 over the parts joined by line feeds."""
    return hmac.new(key, "\n".join(parts).encode(), sha256).hexdigest()


def is_signed(key: bytes, status: int, nonce: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether an answer is the platform's, to this very request."""
    expected = signature(key, str(status), nonce, headers.get("X-Timestamp", ""), digest(body))
    return hmac.compare_digest(expected, headers.get("X-Signature", ""))


def list_digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256 over the rows in order of `row_id`: the fields as received, joined by tabs, ended by a line feed."""
    ordered = sorted(rows, key=lambda row: str(row["row_id"]))
    lines = ("\t".join(str(row[name]) for name in LIST_FIELDS) + "\n" for row in ordered)
    return sha256("".join(lines).encode()).hexdigest()


def moment(seconds: float) -> str:
    """Seconds since 1970 as the wire has them."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(text: str) -> float:
    """The seconds since 1970 of a moment on the wire."""
    return datetime.fromisoformat(text).timestamp()


def same_plate(one: str, other: str) -> bool:
    """Whether a camera's reading and a listed plate are the same characters, separators aside."""
    return _bare(one) == _bare(other)


def _bare(plate: str) -> str:
    return re.sub(r"[\s·•.\-]", "", plate).upper()
