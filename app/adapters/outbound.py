"""Calling addresses that a row or a setting names: nowhere but where we mean to, and never further than they answer.

No redirects, no proxies or passwords from the environment, no host that is this machine, a neighbour of it or a cloud's
metadata service. A name is resolved once, all its addresses are looked at, and the very address that was found good is
called: a name that changes its mind in between gains nothing.
"""

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError
from urllib3.util.connection import create_connection

from app.kernel.deadline import watch_lines

Network = IPv4Network | IPv6Network
LONGEST_ANSWER: Final = 1024 * 1024


def is_this_machine(host: str) -> bool:
    """Whether a host, by the look of it, is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@dataclass(frozen=True)
class Reach:
    """Which addresses may be called: public ones, those of `networks`, and with `loopback` (development) this machine.

    Link-local addresses, where clouds keep their metadata, are never within reach.
    """

    networks: Sequence[Network] = ()
    loopback: bool = False

    def holds(self, address: str) -> bool:
        """Whether an IP address may be called."""
        found = ip_address(address.partition("%")[0])
        found = getattr(found, "ipv4_mapped", None) or found
        if found.is_loopback:
            return self.loopback
        if found.is_link_local or found.is_multicast or found.is_unspecified:
            return False
        return found.is_global or any(found in network for network in self.networks)


def guarded_session(reach: Reach, connections: int = 4) -> requests.Session:
    """A session whose every connection ends within reach; one that would not fails as if nobody answered.

    It calls only `within` a deadline: raises `NoDeadline` elsewhere.
    """
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    for scheme in ("https://", "http://"):
        session.mount(scheme, _GuardedAdapter(reach, pool_connections=2, pool_maxsize=connections, max_retries=0))
    return session


class OutOfReach(OSError):
    """An address that must not be called."""


def resolved(reach: Reach, host: str, port: int) -> str:
    """The address to call; raises `OutOfReach` when any that the name has is not within reach."""
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not found or not all(reach.holds(address) for address in found):
        raise OutOfReach(host)
    return found[0]


class _Guarded:
    """What both kinds of connection do before they connect."""

    reach: Reach

    def _new_conn(self: Any) -> socket.socket:
        try:
            address = resolved(self.reach, self._dns_host, self.port)
            return create_connection(
                (address, self.port), self.timeout, source_address=self.source_address,
                socket_options=self.socket_options,
            )  # fmt: skip
        except OSError as wrong:
            raise NewConnectionError(self, f"{type(wrong).__name__}") from wrong


class TimelyAdapter(HTTPAdapter):
    """Calls only `within` a deadline."""

    def init_poolmanager(self, *words: Any, **how: Any) -> None:
        """What requests asks of an adapter before it is used."""
        super().init_poolmanager(*words, **how)
        watch_lines(self.poolmanager)


class _GuardedAdapter(HTTPAdapter):
    def __init__(self, reach: Reach, **how: Any) -> None:
        self._reach = reach
        super().__init__(**how)

    def init_poolmanager(self, *words: Any, **how: Any) -> None:
        super().init_poolmanager(*words, **how)
        watch_lines(self.poolmanager, _Guarded, reach=self._reach)


def bounded(chunks: Iterable[bytes], most: int = LONGEST_ANSWER) -> bytes:
    """A body, as far as `most` bytes and one more: whoever gets the one more knows that it has no end."""
    body = b""
    for chunk in chunks:
        body += chunk
        if len(body) > most:
            break
    return body[: most + 1]
