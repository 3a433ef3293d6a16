"""Where it takes place: a few lots of many payees on servers of their own, and a stay to pay for each motorist."""

import os
import secrets
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
from flask import Flask
from psycopg.sql import SQL
from sqlalchemy import event

import wsgi
from app.domain.calendars.seeds import seed
from app.domain.gates.actions import install_gate
from app.domain.lots import actions as lots
from app.domain.lots.models import Lot
from app.domain.lots.queries import Point
from app.domain.motorists.actions import remember_plate
from app.domain.motorists.plates import PlateColour, plate_as_seen
from app.domain.pricing import actions as pricing
from app.domain.pricing.models import ReferenceLot, TariffVersion
from app.domain.pricing.published import read
from app.domain.units import actions as units
from app.domain.units.rules import NewUnit, sample_credit_code
from app.jobs.sample_city.lots import bays_of, made_lawful
from app.jobs.sample_city.payees import CHECKER, Payees
from app.jobs.sample_city.people import People
from app.jobs.sample_city.prices import charge, register
from app.jobs.sample_city.table import NEIGHBOURHOODS, Neighbourhood, Opened
from app.kernel import crypto
from app.kernel.db import transaction
from app.settings import Settings
from bench.chaos.line import Line
from bench.chaos.plan import Fate
from bench.chaos.wechat import WeChat
from bench.city import ACTOR, FIRST, key_of
from bench.ground import MOMENT, Ground, ground
from launcher.backing import DATABASE
from launcher.ports import free_ports

LOTS: Final = 10
BUILT_BEFORE: Final = timedelta(hours=10)
"""The same day: no bill of WeChat's is due yet."""
FIRST_STAY: Final = 600_000_000_001
FIRST_PASSAGE: Final = 700_000_000_001
LEFT_OUT: Final = ("FISCAL", "TAX", "CITY")
"""Who need not be there: receipts wait for their platforms, and the city is told nothing."""
NOTICES: Final = "/wechat/notices/transactions"


@dataclass(frozen=True)
class Visitor:
    """A motorist with one stay to pay for."""

    fate: Fate
    motorist_key: uuid.UUID
    openid: str = field(repr=False)
    stay_key: uuid.UUID


@dataclass(frozen=True)
class Stage:
    """Everything that the run needs to know of the city."""

    stand: Ground
    environment: Mapping[str, str]
    app: Flask
    settings: Settings
    wechat: WeChat
    lines: Mapping[str, Line]
    """`out`: we call WeChat. `in`: WeChat calls us."""
    people: People
    visitors: Sequence[Visitor]

    @property
    def admin_url(self) -> str:
        return f"{self.stand.servers.postgres.admin_url.rsplit('/', 1)[0]}/{DATABASE}"

    @property
    def clock_file(self) -> Path:
        return Path(self.environment["CLOCK_FILE"])


@contextmanager
def stage(fates: Sequence[Fate]) -> Iterator[Stage]:
    """The city, with a visitor for each of the fates; processes are not started yet."""
    with ground() as stand:
        ports = {name: free_ports(1)[0] for name in ("out", "in")}
        environment = _environment(stand, ports)
        settings = Settings.from_environment(environment)
        app = wsgi.create_app(settings)
        lines = {
            "out": Line(ports["out"], int(environment["WECHAT_PORT"])),
            "in": Line(ports["in"], int(environment["PORT"])),
        }
        try:
            with app.app_context():
                event.listen(app.extensions["sqlalchemy"].engine, "connect", _be_patient)
                people, visitors = _build(stand, settings, fates)
                app.extensions["sqlalchemy"].engine.dispose()
            wechat = WeChat(int(environment["WECHAT_PORT"]))
            yield Stage(stand, environment, app, settings, wechat, lines, people, visitors)
        finally:
            for line in lines.values():
                line.take_down()


def _be_patient(connection: psycopg.Connection[Any], _: Any) -> None:
    """A machine with much to do takes long for a password; this process is not what is tried."""
    connection.execute("SET idle_in_transaction_session_timeout = 0")
    connection.commit()


def _environment(stand: Ground, ports: Mapping[str, int]) -> Mapping[str, str]:
    kept = {name: value for name, value in stand.environment.items() if name.partition("_")[0] not in LEFT_OUT}
    programs = str(Path(sys.executable).parent)
    return {
        **kept,
        "PATH": f"{programs}{os.pathsep}{kept.get('PATH', os.defpath)}",
        "PYTHONUNBUFFERED": "1",
        "WEB_WORKERS": "2",
        "WECHAT_PAY_URLS": f"http://127.0.0.1:{ports['out']}",
        "WECHAT_NOTIFY_URL": f"http://127.0.0.1:{ports['in']}{NOTICES}",
    }


def _build(stand: Ground, settings: Settings, fates: Sequence[Fate]) -> tuple[People, Sequence[Visitor]]:
    """Lots are opened as people open them, in the morning; stays are copied in by the superuser."""
    clock_file = stand.folder / "clock"
    lag = float(clock_file.read_text())
    clock_file.write_text(str(lag - BUILT_BEFORE.total_seconds()))
    units.know_districts()
    seed(MOMENT.year)
    people, payees = People(), Payees(settings.wechat.sp_mchid)
    with transaction():
        own = pricing.store_tariff("示例收费标准", "示例", read("HZ-ROAD-2").parameters, ACTOR)
        around = pricing.store_tariff("示例参照收费标准", "示例", read("HZ-ROAD-1").parameters, ACTOR)
        since = MOMENT - BUILT_BEFORE
        reference = register(people, "示例参照停车场", Point(30.25, 120.16), around, since)
    opened = [_open(number, each, people, payees, own, reference) for number, each in enumerate(_wanted())]
    gates = [_gates(lot) for lot in opened]
    clock_file.write_text(str(lag))
    return people, _arrive(stand, settings, fates, opened, gates)


def _wanted() -> Sequence[tuple[Neighbourhood, Opened]]:
    """Lots of organs, institutions and enterprises from all over the sample city."""
    found = [(around, each) for around in NEIGHBOURHOODS for each in around.lots]
    return found[:: max(1, len(found) // LOTS)][:LOTS]


def _open(
    number: int, wanted: tuple[Neighbourhood, Opened], people: People, payees: Payees, own: TariffVersion,
    reference: ReferenceLot,
) -> Lot:  # fmt: skip
    around, told = wanted
    code = sample_credit_code(told.kind, number)
    unit = units.enter(
        NewUnit(told.unit, code, told.kind, told.level, around.district, time(8, 30), time(17, 30)), ACTOR
    )
    with transaction():
        by = people.of_unit(unit)
        place = lots.NewLot(told.lot, "示例路1号", around.latitude, around.longitude, total_bays=told.total,
                            total_chargers=told.all_chargers, shared_chargers=told.chargers)  # fmt: skip
        lot = lots.draft(by, unit.key, place, bays_of(told))
        made_lawful(by, people.regulator, lot, told.bays, told.chargers)
        lots.publish(by, lot.key)
    with transaction():
        charge(people, by, lot, own, [reference])
        lots.enter_payee(lot, payees.of(told, around), MOMENT - BUILT_BEFORE, ACTOR, CHECKER)
    return lot


def _gates(lot: Lot) -> tuple[int, int]:
    entrance, exit_ = (install_gate(lot.id, f"示例道闸{way}", "1", way, ACTOR).id for way in ("in", "out"))
    return entrance, exit_


def _arrive(
    stand: Ground, settings: Settings, fates: Sequence[Fate], opened: Sequence[Lot], gates: Sequence[tuple[int, int]]
) -> Sequence[Visitor]:
    with transaction():
        plates = [remember_plate(plate_as_seen(f"浙A{each.number % 100_000:05d}", PlateColour.BLUE)) for each in fates]
    visitors = [_visitor(fate) for fate in fates]
    with psycopg.connect(stand.servers.postgres.admin_url, dbname=DATABASE, autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")  # what came through gates is written down only here
        rows = [_Rows(*each, opened, gates, settings) for each in zip(visitors, plates, strict=True)]
        for table, columns in _TABLES.items():
            with superuser.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                for each in rows:
                    for row in getattr(each, columns)():
                        copy.write_row(row)
        superuser.execute(SQL("VACUUM ANALYZE"))
    return visitors


def _visitor(fate: Fate) -> Visitor:
    key = key_of(FIRST["motorist"] + fate.number)
    return Visitor(fate, key, f"oChaos{fate.number:022d}", key_of(FIRST_STAY + fate.number))


@dataclass(frozen=True)
class _Rows:
    """What a visit has left in the tables by now."""

    visitor: Visitor
    plate_id: int
    opened: Sequence[Lot]
    gates: Sequence[tuple[int, int]]
    settings: Settings

    @property
    def number(self) -> int:
        return self.visitor.fate.number

    @property
    def stay_id(self) -> int:
        return FIRST_STAY + self.number

    @property
    def is_parked(self) -> bool:
        return self.visitor.fate.late == "grown"

    @property
    def entered_at(self) -> datetime:
        if self.is_parked:
            return MOMENT - timedelta(minutes=65 + self.number % 30)
        return MOMENT - timedelta(minutes=150 + self.number * 7 % 330)

    @property
    def exited_at(self) -> datetime | None:
        return None if self.is_parked else MOMENT - timedelta(minutes=5 + self.number % 60)

    def motorist(self) -> Iterator[tuple[Any, ...]]:
        key, openid = self.visitor.motorist_key, self.visitor.openid
        sealed = crypto.seal(openid, f"motorist.openid:{key}")
        index = crypto.blind_index("motorist.openid", openid)
        number = FIRST["motorist"] + self.number
        yield number, key, self.settings.wechat.app_id, index, sealed, 1, MOMENT - BUILT_BEFORE

    def passages(self) -> Iterator[tuple[Any, ...]]:
        for id_, way, at in self._passages():
            device = self.gates[self.number % len(self.gates)][way == "out"]
            yield (
                id_, device, f"chaos-{id_}", self.number + 1, "passed", way, self.plate_id, at, at, "0", False, at,
                False, b"",
            )  # fmt: skip

    def stay(self) -> Iterator[tuple[Any, ...]]:
        entry, exit_ = FIRST_PASSAGE + 2 * self.number, None if self.is_parked else FIRST_PASSAGE + 2 * self.number + 1
        lot = self.opened[self.number % len(self.opened)]
        yield (
            self.stay_id, self.visitor.stay_key, lot.id, self.plate_id, FIRST["motorist"] + self.number,
            secrets.token_bytes(32), "small", entry, exit_, self.entered_at, self.exited_at,
            "parked" if self.is_parked else "owing",
        )  # fmt: skip

    def outcomes(self) -> Iterator[tuple[Any, ...]]:
        for id_, way, at in self._passages():
            yield id_, self.stay_id, "entered" if way == "in" else "left", at, id_ - FIRST_PASSAGE + 1

    def moves(self) -> Iterator[tuple[Any, ...]]:
        yield "stay", self.stay_id, "", "parked", "born", "gate", self.entered_at
        if not self.is_parked:
            yield "stay", self.stay_id, "parked", "owing", "leave", "gate", self.exited_at

    def _passages(self) -> Iterator[tuple[int, str, datetime]]:
        yield FIRST_PASSAGE + 2 * self.number, "in", self.entered_at
        if self.exited_at is not None:
            yield FIRST_PASSAGE + 2 * self.number + 1, "out", self.exited_at


_TABLES: Final[Mapping[str, str]] = {
    "motorist (id, key, app_id, openid_bidx, openid_enc, session_version, created_at)": "motorist",
    "gate_event (id, device_id, event_id, seq, type, direction, plate_id, device_time, received_at, clock_offset,"
    " clock_suspect, event_time, offline, body_enc)": "passages",
    "stay (id, key, lot_id, plate_id, motorist_id, code_digest, vehicle_class, entry_event_id, exit_event_id,"
    " entered_at, exited_at, state)": "stay",
    "passage_outcome (event_id, stay_id, outcome, projected_at, place)": "outcomes",
    "state_event (machine, entity_id, from_state, to_state, event, cause, at)": "moves",
}
