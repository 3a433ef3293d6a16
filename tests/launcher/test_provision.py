"""Any PostgreSQL serves: the launcher makes the database and its roles where it may, and says so where it may not."""

from pathlib import Path

import psycopg
import pytest

from launcher.backing import external_database, external_redis
from launcher.failure import CannotStart
from launcher.ports import free_ports
from launcher.roles import normal, plain, provision
from tests.ground import Addresses

SOMEWHERE = "127.0.0.1:1/gongbo"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_an_address_becomes_the_one_with_our_driver(scheme: str) -> None:
    assert normal(f"{scheme}://{SOMEWHERE}") == f"postgresql+psycopg://{SOMEWHERE}"
    assert plain(f"{scheme}://{SOMEWHERE}") == f"postgresql://{SOMEWHERE}"


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(CannotStart, match="must begin with postgresql://"):
        normal("mysql://127.0.0.1/gongbo")


def test_the_program_owns_nothing_and_waits_for_nothing(servers: Addresses) -> None:
    with psycopg.connect(plain(servers.app)) as connection:
        limits = [
            connection.execute(f"SHOW {name}").fetchone()
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        ]
        assert limits == [("5s",), ("2s",), ("10s",)]
        owned = "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = current_user"
        assert connection.execute(owned).fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (id bigint)")


def test_provisioning_twice_changes_neither_passwords_nor_addresses(servers: Addresses, tmp_path: Path) -> None:
    made = [provision(servers.admin, "gongbo_again", tmp_path, "gongbo_again") for _ in range(2)]
    assert made[0] == made[1]
    for url in (made[0].migration_url, made[0].app_url):
        psycopg.connect(plain(url)).close()
    _forget(servers, "gongbo_again")


def test_an_address_that_may_create_roles_is_taken_as_the_admin(servers: Addresses, tmp_path: Path) -> None:
    made = external_database(servers.admin, "", tmp_path, "gongbo_elsewhere")
    with psycopg.connect(plain(made["DATABASE_URL"])) as connection:
        assert connection.info.user == "gongbo_elsewhere_app"
        assert f"/{connection.info.dbname}" == servers.admin[servers.admin.rindex("/") :]
    _forget(servers, "gongbo_elsewhere")


def test_an_ordinary_role_alone_is_refused_with_the_name_of_what_is_missing(servers: Addresses, tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="MIGRATION_DATABASE_URL is missing"):
        external_database(servers.app, "", tmp_path)


def test_both_addresses_are_taken_as_they_are(servers: Addresses, tmp_path: Path) -> None:
    taken = external_database(plain(servers.app), plain(servers.migration), tmp_path)
    assert taken == {"DATABASE_URL": servers.app, "MIGRATION_DATABASE_URL": servers.migration}


def test_an_address_that_leads_nowhere_is_refused_without_telling_its_password(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with pytest.raises(CannotStart) as refused:
        external_database(f"postgresql://someone:hush@127.0.0.1:{port}/gongbo", "", tmp_path)
    assert str(refused.value).startswith("DATABASE_URL does not lead to a PostgreSQL that lets us in")
    assert "hush" not in str(refused.value)


def test_a_redis_that_does_not_answer_is_refused() -> None:
    (port,) = free_ports(1)
    with pytest.raises(CannotStart, match="REDIS_URL does not lead to a server that answers PING"):
        external_redis(f"redis://127.0.0.1:{port}/0")


def _forget(servers: Addresses, prefix: str) -> None:
    """Roles belong to the whole server, which other tests share."""
    with psycopg.connect(servers.admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {prefix}")
        for role in (f"{prefix}_app", f"{prefix}_owner"):
            connection.execute(f"DROP ROLE {role}")
