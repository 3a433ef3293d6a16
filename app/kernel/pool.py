"""A connection that lay idle is looked at before it is used again; a busy one is not: each look is a round trip."""

import time
from typing import Any, Final

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

IDLE_SECONDS: Final = 1.0
"""A connection that dies within this time fails the next transaction, as it would have failed the last one."""

_PUT_BACK: Final = "put back at"


def look_at_idle(engine: Engine) -> None:
    """Replace every connection of the pool once one of them is found dead after it lay idle.

    What a transaction has begun is never begun again: the look comes before its first statement.
    """

    def put_back(_: Any, record: Any) -> None:
        record.info[_PUT_BACK] = time.monotonic()

    def take(connection: Any, record: Any, _: Any) -> None:
        since = record.info.get(_PUT_BACK)
        if connection is None or since is None or time.monotonic() - since < IDLE_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine, "checkin", put_back)
    event.listen(engine, "checkout", take)
