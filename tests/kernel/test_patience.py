"""A database that is gone without a word is given up in seconds, by whoever waits for it."""

import asyncio
from typing import Any

from flask import Flask
from sqlalchemy import event, func, select

from app.jobs.worker import queue_of
from app.kernel.db import engine
from app.kernel.lookout import Lookout
from app.kernel.patience import PATIENCE
from app.wiring import wiring
from tests.lines import PATIENT, linux, silence_borne

pytestmark = linux


def test_the_pools_connections_bear_no_long_silence(app: Flask) -> None:
    with engine().connect() as connection:
        assert borne(connection.connection.driver_connection) == PATIENT


def test_nor_does_the_connection_that_a_process_keeps_for_short_questions(app: Flask) -> None:
    seen: list[tuple[int, ...]] = []

    def look(connection: Any, *_: object) -> None:
        seen.append(borne(connection))

    lookout = Lookout(engine())
    engine().dispose()
    event.listen(engine(), "connect", look)
    try:
        lookout.ask(select(func.pg_backend_pid()), {})
    finally:
        event.remove(engine(), "connect", look)
        lookout.close()
    assert seen == [PATIENT]


def test_nor_do_those_of_the_worker_whether_it_asks_or_listens(app: Flask) -> None:
    assert asyncio.run(lines_of_the_worker()) == [PATIENT, PATIENT]


async def lines_of_the_worker() -> list[tuple[int, ...]]:
    async with queue_of(wiring().settings).open_async() as jobs:
        connector: Any = jobs.connector
        async with connector.pool.connection() as asks, connector._get_standalone_connection() as listens:
            return [borne(asks), borne(listens)]


def test_nobody_waits_long_for_a_server_that_does_not_even_accept() -> None:
    assert PATIENCE["connect_timeout"] <= 5


def borne(connection: Any) -> tuple[int, ...]:
    return silence_borne(connection.fileno())
