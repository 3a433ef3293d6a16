"""A car-park's own system with an open platform in the style of Hikvision's iSecure Center (profile `isecure`).

Not a camera: one system that runs all barriers of a lot and decides by itself. It is asked and told over HTTPS,
signed with an access key (AK/SK, Artemis): reservations (车位预约 v2) are added, cancelled and listed, and crossing
records (过车记录) are read. It knows a plate once, takes no change of a reservation, and refuses a car that is inside.
What was not answered may have happened: it is found out by asking, never by trying again.
"""

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeVar
from uuid import uuid4

import requests
from urllib3.exceptions import HTTPError

from app.adapters.gates.fields import listed, number, record, root_of, text
from app.adapters.gates.words import Foreign, ListRow
from app.adapters.outbound import LONGEST_ANSWER, Reach, bounded, guarded_session
from app.kernel.clock import SHANGHAI
from app.kernel.deadline import within

ADDITION: Final = "/artemis/api/pms/v2/parkingSpace/reservations/addition"
DELETION: Final = "/artemis/api/pms/v1/parkingSpace/reservations/deletion"
RESERVATIONS: Final = "/artemis/api/pms/v2/reserveRecord/page"
CROSSINGS: Final = "/artemis/api/pms/v1/crossRecords/page"

PAGE: Final = 200
MOST_PAGES: Final = 100
SECONDS: Final = (3.0, 5.0)
LIST_SECONDS: Final = 60.0
"""For a whole list, of however many pages."""
TELLING_SECONDS: Final = 15.0
SIGNED: Final = ("x-ca-key", "x-ca-nonce", "x-ca-timestamp")
WAITING: Final = 0
"""`resvState` of a reservation whose car has not come."""

LONGEST_NUMBER: Final = 56
MANUAL: Final = 1
"""`releaseWay` of a barrier that a person raised."""

SECOND: Final = timedelta(seconds=1)
"""What is asked for has whole seconds."""

T = TypeVar("T")
Outcome = Literal["done", "refused", "unknown"]
log = logging.getLogger("app.adapters.gates")


@dataclass(frozen=True)
class ParkAccount:
    """Which park (`parkSyscode`) of which system, and the key that it knows us by."""

    url: str
    park: str
    app_key: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class Reserved:
    """A live reservation as the system holds it, and the number by which it is cancelled."""

    row: ListRow
    order: str


@dataclass(frozen=True)
class Crossing:
    """A car that drove through a barrier. `number` is the record's own; `manual`: a person raised the arm."""

    number: str
    plate: str = field(repr=False)
    colour: str
    at: datetime
    direction: Literal["in", "out"]
    manual: bool


class Isecure:
    """Speaks with such systems. Call outside transactions. Safe to share between threads."""

    def __init__(self, reach: Reach, now: Callable[[], datetime]) -> None:
        self._session, self._now = guarded_session(reach), now

    def reservations(self, account: ParkAccount) -> list[Reserved] | None:
        """All reservations that still wait for their car; `None` when that could not be learned whole."""
        asked = {"parkSyscode": account.park, "resvState": WAITING}
        return self._all(account, RESERVATIONS, asked, _reserved)

    def crossings(self, account: ParkAccount, since: datetime, until: datetime) -> list[Crossing] | None:
        """The cars that drove through between two moments; `None` when that could not be learned whole."""

        def in_span(row: Mapping[str, Any]) -> Crossing:
            crossing = _crossing(row)
            if not since - SECOND <= crossing.at <= until + SECOND:
                raise Foreign("crossTime")
            return crossing

        span = {"startTime": _wire(since), "endTime": _wire(until)}
        return self._all(account, CROSSINGS, {"parkSyscode": account.park, **span}, in_span)

    def reserve(self, account: ParkAccount, row: ListRow) -> Outcome:
        """Let this car in between two moments, once and uncharged by that system: the fee is ours to ask for."""
        return self._told(account, ADDITION, {
            "parkSyscode": account.park, "plateNo": row.plate, "phoneNo": "", "owner": "", "allowTimes": 1,
            "isCharge": "0", "resvWay": "6", "startTime": _wire(row.begins_at), "endTime": _wire(row.ends_at),
        })  # fmt: skip

    def cancel(self, account: ParkAccount, order: str) -> Outcome:
        """Take a reservation back."""
        return self._told(account, DELETION, {"reserveOrderNo": order, "way": 1})

    def _told(self, account: ParkAccount, path: str, told: Mapping[str, Any]) -> Outcome:
        try:
            with within(TELLING_SECONDS):
                answer = self._ask(account, path, told)
        except (requests.RequestException, HTTPError, OSError, Foreign) as error:
            log.warning("park_system_silent", extra={"error": type(error).__name__})
            return "unknown"
        if text(answer.get("code")) == "0":
            return "done"
        log.warning("park_system_refused", extra={"refusal": text(answer.get("code"))[:32]})
        return "refused"

    def _all(
        self, account: ParkAccount, path: str, asked: Mapping[str, Any], read: Callable[[Any], T]
    ) -> list[T] | None:
        try:
            with within(LIST_SECONDS):
                return [read(record(row)) for row in self._rows(account, path, asked)]
        except (requests.RequestException, HTTPError, OSError, Foreign) as error:
            log.warning("park_system_unread", extra={"error": type(error).__name__})
            return None

    def _rows(self, account: ParkAccount, path: str, asked: Mapping[str, Any]) -> Iterator[Any]:
        """Page by page until all that was announced is there; a list that ends early is `Foreign`."""
        heard = 0
        for page in range(1, MOST_PAGES + 1):
            answer = self._ask(account, path, {**asked, "pageNo": page, "pageSize": PAGE})
            if text(answer.get("code")) != "0":
                raise Foreign("code")
            found = record(answer.get("data"))
            rows = listed(found.get("list"))
            yield from rows
            heard += len(rows)
            if heard >= number(found.get("total")):
                return
            if not rows:
                break
        raise Foreign("pages")

    def _ask(self, account: ParkAccount, path: str, told: Mapping[str, Any]) -> Mapping[str, Any]:
        body = json.dumps(told, ensure_ascii=False).encode()
        headers = signed_headers(account, path, body, self._now(), uuid4().hex)
        with self._session.post(
            f"{account.url}{path}", data=body, headers=headers, timeout=SECONDS, allow_redirects=False, stream=True
        ) as response:
            if response.status_code != requests.codes.ok:
                raise Foreign("status")
            content = bounded(response.iter_content(64 * 1024))
        if len(content) > LONGEST_ANSWER:
            raise Foreign("length")
        return root_of(content)


def signed_headers(account: ParkAccount, path: str, body: bytes, now: datetime, nonce: str) -> dict[str, str]:
    """The headers of one request; the body is bound by its MD5, as this interface has it."""
    stamp = str(int(now.timestamp() * 1000))
    digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    plain = {"Accept": "application/json", "Content-MD5": digest, "Content-Type": "application/json"}
    ours = dict(zip(SIGNED, (account.app_key, nonce, stamp), strict=True))
    lines = ["POST", *plain.values(), *(f"{name}:{value}" for name, value in ours.items()), path]
    signature = base64.b64encode(hmac.digest(account.secret, "\n".join(lines).encode(), "sha256")).decode()
    return {**plain, **ours, "X-Ca-Signature-Headers": ",".join(SIGNED), "X-Ca-Signature": signature}


def _reserved(row: Mapping[str, Any]) -> Reserved:
    begins, ends = _moment(row.get("startTime")), _moment(row.get("endTime"))
    order = text(row.get("reserveOrderNo"))
    if not order:
        raise Foreign("reserveOrderNo")
    return Reserved(ListRow(text(row.get("plateNo")), begins, ends), order)


def _crossing(row: Mapping[str, Any]) -> Crossing:
    named = text(row.get("crossRecordSyscode"))
    if not (0 < len(named) <= LONGEST_NUMBER and named.isascii() and named.isprintable() and " " not in named):
        raise Foreign("crossRecordSyscode")
    return Crossing(
        number=named, plate=text(row.get("plateNo")), colour=str(row.get("plateColor", "")),
        at=_moment(row.get("crossTime")), direction="out" if number(row.get("vehicleOut")) else "in",
        manual=number(row.get("releaseWay", 0)) == MANUAL,
    )  # fmt: skip


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(text(value))
    except ValueError as wrong:
        raise Foreign("time") from wrong
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def _wire(at: datetime) -> str:
    """`2026-06-10T20:00:00+08:00`."""
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds")
