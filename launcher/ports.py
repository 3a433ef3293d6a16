"""TCP ports of this machine's loopback address."""

import socket

import psutil

HOST = "127.0.0.1"


def is_taken(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on at this moment, all different."""
    sockets = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def holder(port: int) -> str:
    """Who listens there, as far as this account may know."""
    try:
        listening = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return "another program"
    for each in listening:
        if each.status == psutil.CONN_LISTEN and each.laddr[1:2] == (port,) and each.pid:
            return f"{psutil.Process(each.pid).name()} (process {each.pid})"
    return "another program"
