"""Numbers and names as WeChat would give them; the same seed gives the same row."""

import random
import string
import uuid
from datetime import datetime
from threading import Lock

from simulators.clock import BEIJING

ALPHANUMERIC = string.ascii_letters + string.digits


class Ids:
    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable, and nobody else's secret
        self._lock = Lock()

    def hexadecimal(self, length: int) -> str:
        return self._pick("0123456789abcdef", length)

    def digits(self, length: int) -> str:
        return self._pick(string.digits, length)

    def alphanumeric(self, length: int) -> str:
        return self._pick(ALPHANUMERIC, length)

    def uuid(self) -> str:
        with self._lock:
            return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def openid(self) -> str:
        return "o" + self._pick(ALPHANUMERIC + "-_", 27)

    def prepay_id(self, at: float) -> str:
        return f"wx{_stamp(at)}{self.hexadecimal(16)}0000"

    def transaction_id(self, at: float) -> str:
        return f"42000{self.digits(5)}{_stamp(at)[:8]}{self.digits(10)}"

    def refund_id(self, at: float) -> str:
        return f"503{self.digits(8)}{_stamp(at)[:8]}{self.digits(10)}"

    def request_id(self, code: int) -> str:
        return f"{self.hexadecimal(32).upper()}-{code}"

    def happens(self, rate: float) -> bool:
        """True in `rate` of the cases, 0.0 to 1.0."""
        with self._lock:
            return self._random.random() < rate

    def _pick(self, alphabet: str, length: int) -> str:
        with self._lock:
            return "".join(self._random.choices(alphabet, k=length))


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, BEIJING).strftime("%Y%m%d%H%M%S")
