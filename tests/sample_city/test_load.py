"""The sample city: complete, lawful, balanced, and the same after a second loading."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from psycopg import sql
from sqlalchemy import func, select

from app.domain.claims.models import BayClaim
from app.domain.gates.models import GateDevice, GateKey
from app.domain.lots.models import Bay, Lot, LotPayee, OpenWindow
from app.domain.lots.queries import HORIZON
from app.domain.pricing.models import LotTariff, ReferenceSet
from app.domain.pricing.queries import prices_of
from app.domain.stays.models import Stay
from app.domain.tasks.models import Task
from app.domain.units.models import District, Unit
from app.jobs.sample_city import SampleRefused, load
from app.jobs.sample_city.table import NEIGHBOURHOODS, lots
from app.kernel import clock as platform_clock
from app.kernel.db import transaction
from app.settings import Settings
from payments.charges.queries import open_cases
from payments.ledger.queries import trial_balance
from payments.payees.models import MerchantChannel, Payee

pytestmark = [pytest.mark.usefixtures("city"), pytest.mark.timeout(240)]
Admin = psycopg.Connection[tuple[object, ...]]


def silently(_: str) -> None:
    return None


def counts(admin: Admin) -> Mapping[str, object]:
    names = [str(name) for (name,) in admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    query = sql.SQL("SELECT count(*) FROM {}")
    return {name: admin.execute(query.format(sql.Identifier(name))).fetchone() for name in names}


def count(of: type[Bay | BayClaim | Stay | Task], **what: object) -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(of).filter_by(**what)) or 0


def test_loading_twice_changes_nothing(city: Settings, admin: Admin, gates_file: Path) -> None:
    before, keys = counts(admin), gates_file.read_bytes()
    told = load(city, weeks=1, gates_file=gates_file, tell=silently)
    assert (told.is_new, told.keys_written) == (False, False)
    assert (counts(admin), gates_file.read_bytes()) == (before, keys)


def test_production_refuses_it(city: Settings, admin: Admin, tmp_path: Path) -> None:
    before = counts(admin)
    with pytest.raises(SampleRefused):
        load(replace(city, environment="production"), weeks=0, gates_file=tmp_path / "gates.json", tell=silently)
    assert counts(admin) == before
    assert not list(tmp_path.iterdir())


def test_the_command_says_that_the_city_is_there(city: Settings, app: Flask, gates_file: Path) -> None:
    assert city.environment == "test"
    ended = app.test_cli_runner().invoke(args=["sample-city", "load", "--bare", "--gates-file", str(gates_file)])
    assert (ended.exit_code, "nothing was changed" in ended.output) == (0, True)


def test_the_clock_of_the_others_did_not_move(city: Settings) -> None:
    assert city.clock_file is not None
    assert platform_clock.offset() == timedelta(seconds=float(city.clock_file.read_text()))


def test_every_district_has_units_and_every_kind_and_level_occurs() -> None:
    with transaction() as session:
        rows = session.execute(select(District.code, Unit.kind).join(Unit)).all()
        kinds = {kind for _, kind in rows}
        levels = set(session.scalars(select(Unit.level)))
    assert len({code for code, _ in rows}) == 13
    assert (kinds, levels) == ({"organ", "institution", "enterprise"}, {"city", "district"})


def test_every_name_says_that_it_is_a_sample() -> None:
    with transaction() as session:
        names = [*session.scalars(select(Unit.name)), *session.scalars(select(Lot.name))]
        names += session.scalars(select(Payee.name)).all()
    assert [name for name in names if "示例" not in name] == []


def test_money_goes_to_the_treasury_of_the_units_level_or_to_the_enterprise() -> None:
    with transaction() as session:
        rows = session.execute(
            select(Unit, Payee)
            .join(Lot, Lot.unit_id == Unit.id)
            .join(LotPayee)
            .join(Payee, Payee.id == LotPayee.payee_id)
        ).all()
    assert len(rows) == len(lots())
    for unit, payee in rows:
        if unit.kind == "enterprise":
            assert (payee.regime, payee.name) == ("SOE", unit.name)
        else:
            district = None if unit.level == "city" else unit.district_code
            assert (payee.regime, payee.level, payee.district_code) == ("TREASURY", unit.level, district)


def test_each_payee_has_one_sub_merchant_of_the_stand_ins_range(city: Settings) -> None:
    with transaction() as session:
        channels = session.scalars(select(MerchantChannel)).all()
        payees = session.scalars(select(Payee.id)).all()
    assert sorted(channel.payee_id for channel in channels) == sorted(payees)
    assert {channel.sp_mchid for channel in channels} == {city.wechat.sp_mchid}
    assert all(channel.sub_mchid.startswith("19") and len(channel.sub_mchid) == 10 for channel in channels)


def test_every_lot_has_tariff_payee_references_and_windows_to_the_horizon() -> None:
    with transaction() as session:
        wanted = set(session.scalars(select(Lot.id)))
        for having in (LotTariff, LotPayee, ReferenceSet):
            assert set(session.scalars(select(having.lot_id))) == wanted
        needed = platform_clock.now() + HORIZON - timedelta(days=2)
        ends = select(OpenWindow.lot_id).group_by(OpenWindow.lot_id)
        assert set(session.scalars(ends.having(func.max(func.upper(OpenWindow.during)) > needed))) == wanted


@pytest.mark.parametrize("hours", [1, 3, 11, 30])
def test_no_lot_charges_more_than_its_references(hours: int) -> None:
    now = platform_clock.now()
    with transaction() as session:
        ids = dict(session.execute(select(Lot.name, Lot.id)).all())
        for around in NEIGHBOURHOODS:
            for opened in around.lots:
                prices = prices_of(ids[opened.lot], now, now + timedelta(hours=hours))
                fee = prices.fee(now, now + timedelta(hours=hours), "small")
                assert fee.cap_fen is None or fee.fee_fen <= fee.cap_fen
                assert opened.price or fee.fee_fen == 0


def test_enough_bays_and_chargers_are_shared() -> None:
    with transaction() as session:
        for lot in session.scalars(select(Lot)):
            shared = session.scalar(select(func.count()).where(Bay.lot_id == lot.id, Bay.shared)) or 0
            assert 10 <= shared <= 60
            assert shared >= 0.3 * lot.total_bays
            assert lot.shared_chargers >= 0.3 * lot.total_chargers


def test_each_lot_has_an_entrance_and_an_exit_whose_keys_lie_in_a_private_file(gates_file: Path) -> None:
    gates = json.loads(gates_file.read_text())["gates"]
    valid = select(GateDevice.key, GateKey.key_id).join(GateKey).where(func.upper_inf(GateKey.valid))
    with transaction() as session:
        lot_keys = {str(key) for key in session.scalars(select(Lot.key))}
        keyed = {(str(key), name) for key, name in session.execute(valid)}
    assert {(gate["gate_id"], gate["key_id"]) for gate in gates} == keyed
    assert {(gate["lot"], gate["direction"]) for gate in gates} == {(k, d) for k in lot_keys for d in ("in", "out")}
    assert gates_file.stat().st_mode & 0o777 == 0o600


def test_a_lost_file_of_keys_is_written_anew_with_other_keys(city: Settings, gates_file: Path) -> None:
    before = {gate["gate_id"]: gate["secret"] for gate in json.loads(gates_file.read_text())["gates"]}
    gates_file.unlink()
    assert load(city, weeks=1, gates_file=gates_file, tell=silently).keys_written
    after = {gate["gate_id"]: gate["secret"] for gate in json.loads(gates_file.read_text())["gates"]}
    assert before.keys() == after.keys()
    assert not set(before.values()) & set(after.values())


def test_the_city_is_alive() -> None:
    now = platform_clock.now()
    with transaction() as session:
        parked = session.scalars(select(Stay.entered_at).where(Stay.state == "parked")).all()
        coming = session.scalars(select(BayClaim).where(BayClaim.state == "confirmed")).all()
    assert len(parked) >= 15
    assert [entered_at for entered_at in parked if not now - timedelta(hours=5) < entered_at < now] == []
    assert len(coming) >= 8
    assert count(Stay, state="settled") >= 10


def test_nothing_in_it_waits_for_a_person_by_mistake() -> None:
    assert count(Task) == 0
    assert open_cases() == []


def test_the_books_balance_and_hold_money() -> None:
    balances = trial_balance()
    for payee_id in {each.payee_id for each in balances}:
        assert sum(each.amount_fen for each in balances if each.payee_id == payee_id) == 0
    assert {each.regime for each in balances if each.amount_fen} == {"TREASURY", "SOE"}
