"""Access tokens (JWT, RFC 7519): who a request comes from, for 15 minutes.

One algorithm, named keys, every claim required. Time is the platform's clock, handed in, never the machine's.
Nothing is taken from the token's header but `kid`, and that only to choose among our own keys.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from app.kernel.refusals import Unauthenticated

ALGORITHM = "HS256"
ISSUER = "gongbo"
LIFETIME = timedelta(minutes=15)
APART = timedelta(seconds=2)
"""So far may the clock by which a token is read stand behind the one by which it was issued (RFC 7519, 4.1.5): the
reader's is a glance, carried on in its own process.
"""
_REQUIRED = ["iss", "aud", "sub", "typ", "jti", "iat", "exp", "sv"]
_MAX_TOKEN_CHARACTERS = 2048
MOST_REMEMBERED = 20_000
"""So many verified tokens are kept in memory."""


class InvalidToken(Unauthenticated):
    """The token is not one of ours, not for this door, or not valid now."""

    code = "invalid_token"
    message = "登录已失效，请重新登录"


@dataclass(frozen=True)
class Bearer:
    """Who a valid token names: the public key of a person and their session version."""

    subject: uuid.UUID
    session_version: int


class AccessTokens:
    """Issues and reads the tokens of one door (`audience`). The first of `keys` signs, all of them verify."""

    def __init__(self, keys: Mapping[str, bytes], audience: str) -> None:
        self._keys = keys
        self._audience = audience
        self._read: dict[str, tuple[Mapping[str, Any], Bearer]] = {}
        self._signed_by: dict[str, bytes] = {}
        """Our keys by the heads of tokens that they proved good: all tokens of a key have the same."""
        self._jwt = jwt.PyJWT({"enforce_minimum_key_length": True})

    def issue(self, bearer: Bearer, now: datetime) -> str:
        """A token for `bearer`, valid for `LIFETIME` from `now`."""
        kid, key = next(iter(self._keys.items()))
        claims = {
            "iss": ISSUER,
            "aud": self._audience,
            "sub": str(bearer.subject),
            "typ": "access",
            "jti": uuid.uuid4().hex,
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            "sv": bearer.session_version,
        }
        return self._jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid})

    def read(self, token: str, now: datetime) -> Bearer:
        """Whom the token names; refuses `InvalidToken` in every other case."""
        try:
            claims, bearer = self._read.get(token) or self._remembered(token)
            _check_time(claims, now)
        except (jwt.InvalidTokenError, jwt.InvalidKeyError, ValueError, TypeError, OverflowError) as wrong:
            raise InvalidToken from wrong
        return bearer

    def _remembered(self, token: str) -> tuple[Mapping[str, Any], Bearer]:
        """Verify a token once: its signature stays right for as long as the keys do, its time is asked each time."""
        claims = self._verified(token)
        if len(self._read) >= MOST_REMEMBERED:
            self._read.clear()
        self._read[token] = claims, _bearer(claims)
        return self._read[token]

    def _verified(self, token: str) -> dict[str, Any]:
        if len(token) > _MAX_TOKEN_CHARACTERS:
            raise ValueError("too long")
        head = token.partition(".")[0]
        key = self._signed_by.get(head) or self._named_by(token)
        claims: dict[str, Any] = self._jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=self._audience,
            issuer=ISSUER,
            options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
        self._signed_by[head] = key
        return claims

    def _named_by(self, token: str) -> bytes:
        key = self._keys.get(str(jwt.get_unverified_header(token).get("kid")))
        if key is None:
            raise ValueError("unknown kid")
        return key


def _check_time(claims: Mapping[str, Any], now: datetime) -> None:
    issued, expires = _moment(claims["iat"]), _moment(claims["exp"])
    if not issued - APART <= now < expires or expires - issued > LIFETIME:
        raise ValueError("not valid now")
    if "nbf" in claims and now < _moment(claims["nbf"]):
        raise ValueError("not valid yet")


def _moment(value: Any) -> datetime:
    if type(value) is not int:
        raise ValueError("a moment is whole seconds")
    return datetime.fromtimestamp(value, UTC)


def _bearer(claims: Mapping[str, Any]) -> Bearer:
    if claims["typ"] != "access" or type(claims["sv"]) is not int:
        raise ValueError("not an access token")
    return Bearer(uuid.UUID(claims["sub"]), claims["sv"])
