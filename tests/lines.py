"""Lines to the outside as a test sees them."""

import os
import socket

import pytest

linux = pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this kernel ends no unanswered line early")
LIMITS = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
PATIENT = (10, 5, 3, 15_000)


def silence_borne(line: int) -> tuple[int, ...]:
    """What the kernel was told of the open socket with this number, in the order of `LIMITS`."""
    with socket.socket(fileno=os.dup(line)) as same:
        assert same.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        return tuple(same.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in LIMITS)
