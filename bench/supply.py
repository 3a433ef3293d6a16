"""Supply for a whole city: searches among all its lots, in cities small and large, and open spans written anew."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any, Final

import psycopg
from flask import Flask

import wsgi
from app.domain.lots.actions import rewrite_windows
from app.domain.lots.queries import HORIZON
from app.kernel import clock
from app.settings import Settings
from bench import importing, metropolis, wishes
from bench.bare import PAGE_FILE
from bench.city import FIRST, sign_up
from bench.ground import MOMENT, Ground, ground
from bench.http import rate
from bench.load import CONNECTIONS, one_answer, requests_per_second
from bench.metropolis import Metropolis
from bench.motorists import SEARCHERS
from bench.results import tell
from bench.serving import BARE, GEVENT, PLATFORM, serving
from bench.turns import in_turns, ratio
from launcher.backing import DATABASE

ROUNDS: Final = 4
WARMING_SEARCHES: Final = 12_000
"""So many come first, four from each motorist: by count, for a busy machine warms up more slowly. A quarter of
them where two cities are compared that are as warm as each other."""
SAMPLES: Final = 41
PATIENCE_SECONDS: Final = 120
"""How long a cold server may read the whole city before its first answer."""
MONTH: Final = timedelta(days=31)
AT_ONCE: Final = 500
"""So many lots' windows are written in one transaction, as the sweeper does it."""
WHOLE: Final = 5_000
TOWN, GIANT = 500, 50_000
"""Lots of the two cities that are compared; the giant one too is built at the share that is asked for."""
PAGE_REQUEST: Final = b"GET /page HTTP/1.1\r\nHost: bench\r\n\r\n"


@dataclass(frozen=True)
class Stand:
    """A city on servers of its own, and what it takes to search in it."""

    ground: Ground
    settings: Settings
    city: Metropolis

    def searches(self) -> Iterator[bytes]:
        """Requests of motorists who signed in just now."""
        issued_at = datetime.now(UTC) + clock.offset()
        return wishes.searches_in(self.city, self.settings.jwt_keys, SEARCHERS, issued_at)


def measure(share: float) -> None:
    """Four lines, for this share of a city of 5,000 lots, 200,000 bays and 500,000 reservations."""
    importing.measure(round(WHOLE * share))
    with standing(Metropolis(round(WHOLE * share)), spans=True) as stand:
        _search_city(stand)
    with standing(_of_small_lots(TOWN)) as town, standing(_of_small_lots(round(GIANT * share))) as giant:
        _search_growth(town, giant)


def _of_small_lots(lots: int) -> Metropolis:
    return Metropolis(lots, bays_each=4, claims_each=1.0, nights=3)


@contextmanager
def standing(city: Metropolis, *, spans: bool = False) -> Iterator[Stand]:
    """Start servers and build the city there; with `spans`, tell how long its open spans take."""
    with ground() as stand:
        settings = Settings.from_environment(stand.environment)
        app, admin_url = wsgi.create_app(settings), stand.servers.postgres.admin_url
        with app.app_context():
            metropolis.build(admin_url, city)
            with psycopg.connect(admin_url, dbname=DATABASE, autocommit=True) as superuser:
                sign_up(superuser, SEARCHERS)
                if spans:
                    _open_spans(superuser, city)
            _hang_up(app)
        yield Stand(stand, settings, city)


def _hang_up(app: Flask) -> None:
    app.extensions["sqlalchemy"].engine.dispose()


def _open_spans(superuser: psycopg.Connection[Any], city: Metropolis) -> None:
    """Take a month's windows away as though they had never been written, and have them written again."""
    lots = range(FIRST["lot"], FIRST["lot"] + city.lots)
    _rewritten(lots)
    rounds = []
    for _ in range(3):
        superuser.execute("SET session_replication_role = replica")  # promises do not matter here, nor do searches
        superuser.execute(
            "DELETE FROM open_window WHERE during && tstzrange(%s, %s)", (MOMENT + timedelta(days=1), MOMENT + MONTH)
        )
        superuser.execute("RESET session_replication_role")
        superuser.execute("VACUUM ANALYZE open_window")
        rounds.append(_rewritten(lots))
    tell(
        "open_spans", {"seconds": median(seconds for seconds, _ in rounds)},
        f"seconds to work out the open spans of all lots for {HORIZON.days} days, compare them with what is written, "
        f"and write the {MONTH.days} days that were missing",
        lots=city.lots, written=rounds[-1][1],
    )  # fmt: skip


def _rewritten(lots: range) -> tuple[float, int]:
    """Seconds, and how many windows were written."""
    began = time.perf_counter()
    written = sum(rewrite_windows(lots[place : place + AT_ONCE]) for place in range(0, len(lots), AT_ONCE))
    return time.perf_counter() - began, written


def _search_city(stand: Stand) -> None:
    with ExitStack() as servers:
        port = servers.enter_context(serving(PLATFORM, GEVENT, stand.ground.environment)).port
        page = stand.ground.folder / "page.json"
        page.write_bytes(_warmed(stand, port, WARMING_SEARCHES))
        told = {**stand.ground.environment, PAGE_FILE: str(page)}
        bare_port = servers.enter_context(serving(BARE, GEVENT, told)).port
        same = iter(lambda: PAGE_REQUEST, None)
        rates = in_turns({"bare": rate(bare_port, same), "search": rate(port, stand.searches())}, ROUNDS)
    tell(
        "search_city", {"ratio": ratio(rates["search"], rates["bare"])},
        "nearby searches/s / requests/s of a bare Flask route that answers such a page with jsonify",
        per_s=median(rates["search"]), bare_per_s=median(rates["bare"]), lots=stand.city.lots,
        bays=stand.city.lots * stand.city.bays_each, page_bytes=page.stat().st_size, connections=CONNECTIONS,
    )  # fmt: skip


def _warmed(stand: Stand, port: int, least: int) -> bytes:
    """Let a server read its city and meet its motorists; returns, of some answers, the one of middle length."""
    searches = stand.searches()
    answers = [one_answer(port, next(searches), PATIENCE_SECONDS) for _ in range(SAMPLES)]
    made = 0.0
    while made < least:
        made += requests_per_second(port, searches, seconds=1.0)
    return sorted(answers, key=len)[SAMPLES // 2]


def _search_growth(town: Stand, giant: Stand) -> None:
    with ExitStack() as servers:
        cities = {"town": town, "giant": giant}
        ports = {
            name: servers.enter_context(serving(PLATFORM, GEVENT, stand.ground.environment)).port
            for name, stand in cities.items()
        }
        with ThreadPoolExecutor(len(cities)) as at_once:
            for _ in at_once.map(partial(_warmed, least=WARMING_SEARCHES // 4), cities.values(), ports.values()):
                pass
        rates = in_turns({name: rate(ports[name], stand.searches()) for name, stand in cities.items()}, ROUNDS)
    tell(
        "search_growth", {"growth": ratio(rates["town"], rates["giant"])},
        f"cost of a nearby search among {giant.city.lots} lots / among {town.city.lots}, equally dense: less is better",
        per_s=median(rates["giant"]), town_per_s=median(rates["town"]), connections=CONNECTIONS,
    )  # fmt: skip
