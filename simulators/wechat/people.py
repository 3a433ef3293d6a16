"""WeChat's users, as far as a mini-program gets to know them, and the codes it is given for them."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock

from simulators.wechat.ids import Ids

CODE_SECONDS = 300
INVALID_CODE, USED_CODE = 40029, 40163


class Errcode(Exception):
    """An error of the mini-program server API, answered with HTTP 200."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(errcode, errmsg)
        self.errcode = errcode
        self.errmsg = errmsg


@dataclass
class Person:
    openid: str
    unionid: str = ""
    phone: str = ""


@dataclass
class Code:
    """Stands for one person, once, for five minutes."""

    openid: str
    issued_at: float
    is_used: bool = False


class People:
    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._lock = RLock()
        self._people: dict[str, Person] = {}

    def meet(self, openid: str = "", unionid: str = "", phone: str = "") -> Person:
        """The person with this openid, a new one if there is none; given values replace the known ones."""
        with self._lock:
            openid = openid or self._ids.openid()
            known = self._people.get(openid, Person(openid))
            person = Person(openid, unionid or known.unionid, phone or known.phone or self._phone())
            self._people[openid] = person
            return person

    def is_known(self, openid: str) -> bool:
        with self._lock:
            return openid in self._people

    def person(self, openid: str) -> Person:
        with self._lock:
            return self._people[openid]

    def all(self) -> list[Person]:
        with self._lock:
            return list(self._people.values())

    def replace(self, people: list[Person]) -> None:
        with self._lock:
            self._people = {person.openid: person for person in people}

    def _phone(self) -> str:
        return f"+86138{self._ids.digits(8)}"


class Codes:
    """One pool of codes; login and phone codes do not mix. `used` is the errcode of a second use."""

    def __init__(self, ids: Ids, now: Callable[[], float], used: int) -> None:
        self._ids = ids
        self._now = now
        self._used = used
        self._lock = RLock()
        self._codes: dict[str, Code] = {}

    def issue(self, openid: str) -> str:
        code = self._ids.alphanumeric(32)
        with self._lock:
            self._codes[code] = Code(openid, self._now())
        return code

    def redeem(self, code: str) -> str:
        """Whose code this is; raises `Errcode`."""
        with self._lock:
            kept = self._codes.get(code)
            if kept is None or self._now() - kept.issued_at >= CODE_SECONDS:
                raise Errcode(INVALID_CODE, "invalid code")
            if kept.is_used:
                raise Errcode(self._used, "code been used" if self._used == USED_CODE else "invalid code")
            kept.is_used = True
            return kept.openid
