"""What a motorist does and what is told of the payment: each visit is a script that goes on while others do."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

from sqlalchemy.exc import DBAPIError

from app.web.tokens import AccessTokens, Bearer
from bench.chaos.crowd import LATER, Crowd, Script
from bench.chaos.office import Office
from bench.chaos.scene import Stage, Visitor
from bench.chaos.wechat import TurnedAway
from launcher.ports import HOST
from miniprogram_api.door import AUDIENCE

PATIENCE_SECONDS: Final = 25.0
MOST_TRIES: Final = 400
"""A motorist who gets nowhere with so many is the run's end."""
PAUSE: Final = (0.3, 2.0)
BEFORE_ANOTHER_TRY: Final = (4.0, 12.0)
"""A motorist may ask six times a minute."""
SIGNED_IN_AGO: Final = timedelta(seconds=5)


class Stuck(Exception):
    """Somebody cannot go on, however often they try."""


@dataclass(frozen=True)
class Ordered:
    """An order as the motorist's phone knows it."""

    out_trade_no: str
    parameters: Mapping[str, str]


@dataclass
class Said:
    """What the run itself knows must come of it."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong_amounts: set[str] = field(default_factory=set)
    """Order numbers of which WeChat told another sum once, under its own signature."""
    strangers: int = 0
    """Notices of orders that nobody made."""
    forged: int = 0
    refunds: int = 0


class Visits:
    """The scripts of all visitors."""

    def __init__(self, stage: Stage, crowd: Crowd, office: Office) -> None:
        self.said = Said()
        self._stage, self._crowd, self._office = stage, crowd, office
        self._wechat = stage.wechat
        self._tokens = AccessTokens(stage.settings.jwt_keys, AUDIENCE)

    def of(self, visitor: Visitor) -> Script:
        """From the motorist's wish to pay until everything about it was told that will be."""
        fate, chance = visitor.fate, random.Random(visitor.fate.seed)  # noqa: S311 - the same visit for the same seed
        self._wechat.meet(visitor.openid)
        first = yield from self._ordered(visitor, "first", chance)
        if fate.late:
            yield from self._late(visitor, first, chance)
            return
        if fate.early:
            self._tell_lies(visitor, first, chance)
            yield chance.uniform(*PAUSE)
        self._pay(visitor, first)
        if not fate.early:
            self._tell_lies(visitor, first, chance)
        for _ in range(fate.again):
            self._crowd.add(self._told_again(first, chance, new_id=False))
        if fate.anew:
            self._crowd.add(self._told_again(first, chance, new_id=True))
        if fate.refund_permille:
            yield from self._refunded(visitor, chance)

    def _late(self, visitor: Visitor, first: Ordered, chance: random.Random) -> Script:
        yield LATER
        while self._wechat.state_of(first.out_trade_no) != "CLOSED":
            yield chance.uniform(*PAUSE)
        if visitor.fate.late == "closed":
            self._pay(visitor, first, forced=True)
            return
        second = yield from self._ordered(visitor, "second", chance)
        for each in chance.sample([first, second], 2):
            self._pay_if_still_wanted(visitor, each, forced=each is first)
            yield chance.uniform(*PAUSE)

    def _pay_if_still_wanted(self, visitor: Visitor, ordered: Ordered, *, forced: bool) -> None:
        """Where the first payment has come through already, the platform has closed the second order: as good."""
        try:
            self._pay(visitor, ordered, forced=forced)
        except TurnedAway:
            self.said.answers["cashier: closed"] += 1

    def _ordered(self, visitor: Visitor, which: str, chance: random.Random) -> Generator[float, None, Ordered]:
        for _ in range(MOST_TRIES):
            answer = self._asked(visitor, which)
            if answer is not None:
                parameters = answer["parameters"]
                number = self._office.order_of(answer["charge"]["key"])
                if number is not None:
                    return Ordered(number, parameters)
            yield chance.uniform(*BEFORE_ANOTHER_TRY)
        raise Stuck(f"visitor {visitor.fate.number} cannot order")

    def _asked(self, visitor: Visitor, which: str) -> Mapping[str, Any] | None:
        """The answer to `POST /mp/v1/stays/{key}/payment`; none: to be tried again under the same key."""
        path = f"/mp/v1/stays/{visitor.stay_key}/payment"
        headers = {
            "Authorization": f"Bearer {self._token(visitor)}", "Content-Type": "application/json",
            "Idempotency-Key": f"chaos-{which}-{visitor.fate.number}",
        }  # fmt: skip
        status, body = self._posted(path, headers)
        self.said.answers[f"order {status}"] += 1
        if status == HTTPStatus.CREATED:
            return json.loads(body)  # type: ignore[no-any-return]
        return None

    def _posted(self, path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        connection = HTTPConnection(HOST, int(self._stage.environment["PORT"]), timeout=PATIENCE_SECONDS)
        try:
            connection.request("POST", path, b"", dict(headers))
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, HTTPException):
            return 0, b""
        finally:
            connection.close()

    def _token(self, visitor: Visitor) -> str:
        now = time.time() + float(self._stage.clock_file.read_text())
        return self._tokens.issue(Bearer(visitor.motorist_key, 1), datetime.fromtimestamp(now, UTC) - SIGNED_IN_AGO)

    def _pay(self, visitor: Visitor, ordered: Ordered, *, forced: bool = False) -> None:
        fate = visitor.fate
        if fate.silent:
            self._wechat.habit(ordered.out_trade_no, "drop")
        elif fate.at_once > 1:
            self._wechat.habit(ordered.out_trade_no, "duplicate", copies=fate.at_once)
        else:
            self._wechat.habit(ordered.out_trade_no, "delay", seconds=fate.delay_seconds)
        self._wechat.pay(ordered.parameters, ordered.out_trade_no, forced=forced)

    def _tell_lies(self, visitor: Visitor, ordered: Ordered, chance: random.Random) -> None:
        """What WeChat tells wrongly under its own signature, and what others tell under none of WeChat's."""
        fate = visitor.fate
        if fate.wrong_amount:
            self.said.wrong_amounts.add(ordered.out_trade_no)
            self._crowd.add(self._forged(ordered, "wrong_amount", chance))
        if fate.strange:
            self.said.strangers += 1
            self._crowd.add(self._forged(ordered, "unknown_order", chance))
        if fate.forged:
            self.said.forged += 1
            self._wechat.forge(ordered.out_trade_no, fate.forged)

    def _told_again(self, ordered: Ordered, chance: random.Random, *, new_id: bool) -> Script:
        yield chance.uniform(*PAUSE)
        notice_id, thanked = self._wechat.tell_again(ordered.out_trade_no, new_id=new_id)
        yield from self._until_thanked(notice_id, chance, thanked=thanked)

    def _forged(self, ordered: Ordered, kind: str, chance: random.Random) -> Script:
        yield chance.uniform(*PAUSE)
        notice_id, thanked = self._wechat.forge(ordered.out_trade_no, kind)
        yield from self._until_thanked(notice_id, chance, thanked=thanked)

    def _until_thanked(self, notice_id: str, chance: random.Random, *, thanked: bool) -> Script:
        """WeChat itself tells of what it wrote until it is thanked; this is told anew by hand."""
        for _ in range(MOST_TRIES):
            if thanked:
                return
            yield chance.uniform(*PAUSE)
            thanked = self._wechat.bring(notice_id)
        raise Stuck("a notice is never thanked for")

    def _refunded(self, visitor: Visitor, chance: random.Random) -> Script:
        """A person of the staff asks for a part of it once the stay is settled, and another one agrees."""
        for _ in range(MOST_TRIES):
            yield chance.uniform(*PAUSE)
            if self._tried(lambda: self._office.has_refunded(visitor)):
                self.said.refunds += 1
                return
        raise Stuck(f"the payment of visitor {visitor.fate.number} cannot be refunded")

    def _tried(self, act: Callable[[], bool]) -> bool:
        """The office's own connection dies with the database as everybody's does."""
        try:
            return act()
        except DBAPIError:
            self.said.answers["office 0"] += 1
            return False
