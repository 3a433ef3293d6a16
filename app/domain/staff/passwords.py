"""Passwords: which ones will do, and how they rest (argon2id; OWASP's second choice of cost, about 20 ms)."""

import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from app.kernel.refusals import Invalid

LEAST_CHARACTERS: Final = 12
MOST_CHARACTERS: Final = 128
LEAST_DIFFERENT: Final = 5
COMMON: Final = frozenset(
    {
        "123456789012", "1234567890123", "12345678901234", "123456789abc", "1234567890qwe", "0123456789ab",
        "abc123456789", "abcdefghijkl", "abcd12345678", "abcd1234abcd", "a1234567890b", "a12345678901",
        "qwertyuiop12", "qwertyuiop123", "qwertyuiop[]", "qwerty123456", "qwer12345678", "1qaz2wsx3edc", "1q2w3e4r5t6y",
        "qazwsxedcrfv", "1qazxsw23edc", "zxcvbnm12345", "zxcvbnmasdfg", "asdfghjkl123", "asdfghjkl;'", "password1234",
        "password12345", "password123456", "passw0rd1234", "p@ssw0rd1234", "p@ssword1234", "administrator",
        "administrator1", "admin1234567", "admin12345678", "admin@123456", "root12345678", "letmein12345",
        "welcome12345", "welcome123456", "iloveyou1234", "iloveyou1314", "woaini131452", "woaini1314520",
        "woaini5201314", "wo5201314520", "5201314woaini", "5201314520131", "hangzhou1234", "hangzhou12345",
        "hangzhou2025", "hangzhou2026", "zhejiang1234", "zhejiang2025", "zhejiang2026", "gongbo123456", "gongbo@12345",
        "tingche12345", "changeme1234", "changeme12345", "testtest1234", "test12345678",
    }
)  # fmt: skip
"""Long enough, and tried first by everybody who guesses."""

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
NOBODYS: Final = "$argon2id$v=19$m=19456,t=2,p=1$RdIw733JDH+XoNN8XUC5Ww$ErzXjhUB47m0uSWjiBw/uIhe7KC08rS5lLxEtQE+Bmc"
"""Of random bytes that nobody kept: checked in place of an account that is not there, so that an unknown login takes as
long as a wrong password."""


class PasswordTooWeak(Invalid):
    """Too short, too long, too simple, the login itself, or known to everybody; details: `because`."""

    code = "password_too_weak"
    message = "密码须为12至128个字符，不得与账号相同，不得过于简单或常见"


def check_password(login: str, password: str) -> None:
    """Refuse `PasswordTooWeak` unless the password is long, varied, not the login and not a common one."""
    because = _weakness(login.casefold(), _plain(password).casefold())
    if because:
        raise PasswordTooWeak(because=because)


def _weakness(login: str, password: str) -> str | None:
    reasons = {
        "too_short": len(password) < LEAST_CHARACTERS,
        "too_long": len(password) > MOST_CHARACTERS,
        "too_uniform": len(set(password)) < LEAST_DIFFERENT,
        "like_the_login": password in {login, login * 2, login[::-1]},
        "common": password in COMMON,
    }
    return next((reason for reason, is_so in reasons.items() if is_so), None)


def hashed(password: str) -> str:
    """What the database keeps: argon2id with its salt and cost."""
    return _HASHER.hash(_plain(password))


def fits(password: str, kept: str | None) -> bool:
    """Whether this is the password whose hash is kept; without one the answer takes as long and is no."""
    if len(password) > MOST_CHARACTERS:
        return False
    try:
        _HASHER.verify(kept or NOBODYS, _plain(password))
    except VerifyMismatchError:
        return False
    return kept is not None


def is_dated(kept: str) -> bool:
    """Whether it was hashed at another cost than today's, so that the next sign-in hashes it anew."""
    return _HASHER.check_needs_rehash(kept)


def _plain(password: str) -> str:
    """Keyboards write the same character in several ways."""
    return unicodedata.normalize("NFKC", password)
