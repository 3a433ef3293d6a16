"""The database and its three roles, on an embedded server or on any other that lets us make them.

The owner owns database and schema and runs migrations; the program's role belongs to the group `app_rw`, which
migrations grant to, and owns nothing.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier, Literal

from launcher.failure import CannotStart
from launcher.secret_files import remembered_secret

GROUP = "app_rw"
OLDEST_VERSION = 150000
LIMITS = {
    "statement_timeout": "5s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
    "timezone": "UTC",
}
"""For every connection of the program; migrations may take longer."""

Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True)
class Addresses:
    """Who may do what: `migration_url` for the owner, `app_url` for the program."""

    migration_url: str
    app_url: str


def provision(admin_url: str, database: str, secrets: Path, prefix: str = "gongbo") -> Addresses:
    """Make the database and the roles `<prefix>_owner` and `<prefix>_app` once; both passwords lie in `secrets`.

    Raises `CannotStart` for a server older than PostgreSQL 15, one without btree_gist, and an account that may not
    create roles and databases.
    """
    with admitted(admin_url) as connection:
        _insist_on_capable(connection)
        owner, app = f"{prefix}_owner", f"{prefix}_app"
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('gongbo provision'))")
            _group(connection)
            _login(connection, owner, remembered_secret(secrets / f"{owner}.pass"))
            _login(connection, app, remembered_secret(secrets / f"{app}.pass"))
            connection.execute(SQL("GRANT {} TO {}").format(Identifier(GROUP), Identifier(app)))
            connection.execute(SQL("GRANT {} TO CURRENT_USER").format(Identifier(owner)))
            _limit(connection, app)
        _database(connection, database, owner)
    return Addresses(
        migration_url=_address(admin_url, owner, remembered_secret(secrets / f"{owner}.pass"), database),
        app_url=_address(admin_url, app, remembered_secret(secrets / f"{app}.pass"), database),
    )


def admitted(url: str) -> Connection:
    """A connection to the server, or `CannotStart` in one sentence without the password."""
    try:
        return psycopg.connect(plain(url), connect_timeout=5, autocommit=True)
    except (psycopg.Error, ValueError) as refused:
        reason = str(refused).strip().splitlines()[-1].strip() or type(refused).__name__
        raise CannotStart(f"DATABASE_URL does not lead to a PostgreSQL that lets us in: {reason}") from None


def may_provision(connection: Connection) -> bool:
    """Whether this account may create roles and databases."""
    row = connection.execute(
        "SELECT rolsuper OR (rolcreaterole AND rolcreatedb) FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    return bool(row and row[0])


def insist_on_version(connection: Connection) -> None:
    """Raises `CannotStart` for a server older than PostgreSQL 15."""
    if connection.info.server_version < OLDEST_VERSION:
        raise CannotStart(
            f"PostgreSQL 15 or newer is needed; this server is {connection.info.server_version // 10000}."
        )


def plain(url: str) -> str:
    """The address as libpq knows it."""
    return _after_scheme(url, "postgresql://")


def normal(url: str) -> str:
    """The address as SQLAlchemy should read it: with the name of our driver."""
    return _after_scheme(url, "postgresql+psycopg://")


def _after_scheme(url: str, scheme: str) -> str:
    for known in ("postgresql+psycopg://", "postgresql://", "postgres://"):
        if url.startswith(known):
            return scheme + url[len(known) :]
    raise CannotStart("DATABASE_URL must begin with postgresql://.")


def _insist_on_capable(connection: Connection) -> None:
    insist_on_version(connection)
    if not may_provision(connection):
        raise CannotStart(
            "MIGRATION_DATABASE_URL is missing: the role in DATABASE_URL may not create roles and databases, "
            "so the schema's owner must be named too."
        )
    if not connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'btree_gist'").fetchone():
        raise CannotStart(
            "This PostgreSQL has no extension btree_gist: install its contrib package (Debian: it is part of "
            "postgresql-<version>) or allow it at your provider."
        )


def _group(connection: Connection) -> None:
    if not _exists(connection, GROUP):
        connection.execute(SQL("CREATE ROLE {} NOLOGIN").format(Identifier(GROUP)))


def _login(connection: Connection, role: str, password: str) -> None:
    verb = "ALTER" if _exists(connection, role) else "CREATE"
    connection.execute(SQL(verb + " ROLE {} LOGIN PASSWORD {}").format(Identifier(role), Literal(password)))


def _limit(connection: Connection, role: str) -> None:
    for setting, limit in LIMITS.items():
        connection.execute(
            SQL("ALTER ROLE {} SET {} = {}").format(Identifier(role), Identifier(setting), Literal(limit))
        )


def _exists(connection: Connection, role: str) -> bool:
    return connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is not None


def _database(connection: Connection, name: str, owner: str) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        return
    try:
        connection.execute(
            SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(
                Identifier(name), Identifier(owner)
            )
        )
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        return  # another start made it between the question and the command


def _address(admin_url: str, role: str, password: str, database: str) -> str:
    """The admin's address with another role, password and database; its TLS options stay."""
    known = conninfo_to_dict(plain(admin_url))
    host, port = str(known.pop("host", "127.0.0.1")), known.pop("port", None)
    for changed in ("user", "password", "dbname"):
        known.pop(changed, None)
    options = "?" + "&".join(f"{name}={quote(str(value), safe='')}" for name, value in known.items())
    place = quote(host, safe="") + (f":{port}" if port else "")
    return f"postgresql+psycopg://{role}:{quote(password, safe='')}@{place}/{database}{options}".rstrip("?")
