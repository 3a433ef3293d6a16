"""Where the platform finds its database and its Redis: servers named in the environment, else our own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import redis

from launcher.environment import Ports
from launcher.failure import CannotStart
from launcher.roles import admitted, insist_on_version, normal, provision
from launcher.servers import Servers

DATABASE = "gongbo"


@contextmanager
def backing(var: Path, ports: Ports, environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """DATABASE_URL, MIGRATION_DATABASE_URL and REDIS_URL; on leaving, servers that this call started are stopped.

    Each of the two servers stands for itself: an embedded one is started for every URL that is not given.
    """
    url, redis_url = environ.get("DATABASE_URL", ""), environ.get("REDIS_URL", "")
    outside: dict[str, str] = {}
    if url:
        outside |= external_database(url, environ.get("MIGRATION_DATABASE_URL", ""), var)
    if redis_url:
        outside["REDIS_URL"] = external_redis(redis_url)
    if url and redis_url:
        yield outside
        return
    servers = Servers.at(var / "servers", ports.postgres, ports.valkey)
    started = servers.up(postgres=not url, valkey=not redis_url)
    try:
        yield embedded(servers) | outside
    finally:
        servers.stop(started)


def embedded(servers: Servers) -> dict[str, str]:
    """The addresses of our own servers, where they run."""
    addresses = {"REDIS_URL": servers.valkey.url}
    if servers.postgres.is_running():
        made = provision(servers.postgres.admin_url, DATABASE, servers.place.base)
        addresses |= {"DATABASE_URL": made.app_url, "MIGRATION_DATABASE_URL": made.migration_url}
    return addresses


def external_database(url: str, migration_url: str, var: Path, prefix: str = "gongbo") -> dict[str, str]:
    """Both addresses on a server somebody else runs.

    Without MIGRATION_DATABASE_URL the role in DATABASE_URL must be able to create roles and databases; the platform's
    own roles are then made with passwords kept in `var`. Raises `CannotStart` in one sentence.
    """
    with admitted(url) as connection:
        insist_on_version(connection)
        database = connection.info.dbname
    if migration_url:
        admitted(migration_url).close()
        return {"DATABASE_URL": normal(url), "MIGRATION_DATABASE_URL": normal(migration_url)}
    made = provision(url, DATABASE if database == "postgres" else database, var, prefix)
    return {"DATABASE_URL": made.app_url, "MIGRATION_DATABASE_URL": made.migration_url}


def external_redis(url: str) -> str:
    """The address, once it has answered PING."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as client:
            client.ping()
    except (redis.RedisError, ValueError) as refused:
        raise CannotStart(f"REDIS_URL does not lead to a server that answers PING: {refused}") from None
    return url
