"""Names for things: public keys that sort by age, and secrets that cannot be guessed."""

import hashlib
import secrets
import time
import uuid


def new_key() -> uuid.UUID:
    """A UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, then 74 random bits.

    The time part only keeps neighbours together in an index; it is never read back as a time,
    so it may come from the machine's own clock.
    """
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & ((1 << 48) - 1)) << 80 | 0x7 << 76
    value |= secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)


def random_token(bits: int = 256) -> str:
    """A URL-safe secret of `bits` random bits, for handing to one person once."""
    return secrets.token_urlsafe(bits // 8)


def digest(token: str) -> bytes:
    """SHA-256 of a secret: what the database keeps instead of the secret itself."""
    return hashlib.sha256(token.encode()).digest()
