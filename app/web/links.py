"""Links that end: what one leads to and until when, signed; a link holds no personal data and needs no sign-in."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from app.kernel.refusals import NotFound

LIFETIME = timedelta(minutes=10)
_ALGORITHM, _AUDIENCE = "HS256", "receipt-file"
_LONGEST = 1024


class LinkEnded(NotFound):
    """The link has ended, or was never one of ours."""

    code = "link_ended"
    message = "链接已失效，请在小程序中重新获取"


@dataclass(frozen=True)
class Link:
    """A token for a path, and when it ends."""

    token: str
    expires_at: datetime


class Links:
    """Signs and reads links to receipts. The first of `keys` signs, all of them verify."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = keys

    def to_receipt(self, key: uuid.UUID, now: datetime) -> Link:
        """A link to one issued receipt, good for `LIFETIME`."""
        kid, secret = next(iter(self._keys.items()))
        expires_at = (now + LIFETIME).replace(microsecond=0)
        claims = {"aud": _AUDIENCE, "sub": str(key), "exp": int(expires_at.timestamp())}
        return Link(jwt.encode(claims, secret, algorithm=_ALGORITHM, headers={"kid": kid}), expires_at)

    def receipt(self, token: str, now: datetime) -> uuid.UUID:
        """The receipt that a link leads to. Refuses `LinkEnded` in every other case."""
        try:
            if len(token) > _LONGEST:
                raise LinkEnded
            secret = self._keys[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(
                token, secret, algorithms=[_ALGORITHM], audience=_AUDIENCE,
                options={"require": ["aud", "sub", "exp"], "verify_exp": False},
            )  # fmt: skip
            if datetime.fromtimestamp(claims["exp"], UTC) <= now:
                raise LinkEnded
            return uuid.UUID(claims["sub"])
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, OverflowError):
            raise LinkEnded from None
