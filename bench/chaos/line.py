"""A line between two programs that can be cut: a TCP proxy for whatever is said, of which it understands nothing.

`whole` passes everything on. `refuse`: nobody listens. `reset`: of each answer the first bytes pass, then the
connection is reset. `black_hole`: what is said is swallowed, and no answer comes. `deaf`: what is said arrives, and the
answer is swallowed.
"""

import socket
import struct
import threading
import time
from typing import Final

from launcher.ports import HOST

CUTS: Final = ("refuse", "reset", "black_hole", "deaf")
WHOLE: Final = "whole"
PASSES_OF_AN_ANSWER: Final = 40
PIECE: Final = 65_536
LISTEN_SECONDS: Final = 20.0
_AT_ONCE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: the connection ends with a reset."""


class Line:
    """Listens on one port and speaks with another, until it is taken down."""

    def __init__(self, port: int, to_port: int) -> None:
        self.port = port
        self._to_port = to_port
        self._mode = WHOLE
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._listen()

    def set(self, mode: str) -> None:
        """From now on; a cut also ends or silences the connections that there are."""
        before, self._mode = self._mode, mode
        if mode == "refuse":
            self._end_listening()
            self._reset_all()
        elif before == "refuse":
            self._listen()

    def take_down(self) -> None:
        """Nothing listens and nothing is open any more."""
        self._end_listening()
        self._reset_all()

    def _listen(self) -> None:
        """On the same port again: somebody's outgoing connection may have borrowed it for a moment."""
        ends = time.monotonic() + LISTEN_SECONDS
        while True:
            try:
                listener = socket.create_server((HOST, self.port), backlog=512)
                break
            except OSError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.05)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name=f"line-{self.port}", daemon=True).start()

    def _end_listening(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection((HOST, self._to_port), timeout=5)
        except OSError:
            _reset(near)
            return
        far.settimeout(None)
        with self._lock:
            self._open |= {near, far}
        back = threading.Thread(target=self._carry, args=(far, near, True), daemon=True)
        back.start()
        self._carry(near, far, False)
        back.join()
        with self._lock:
            self._open -= {near, far}
        for each in (near, far):
            each.close()

    def _carry(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        try:
            while piece := source.recv(PIECE):
                if not self._passed(piece, source, target, is_answer):
                    return
            target.shutdown(socket.SHUT_WR)
        except OSError:
            _reset(source)
            _reset(target)

    def _passed(self, piece: bytes, source: socket.socket, target: socket.socket, is_answer: bool) -> bool:
        mode = self._mode
        if mode == "reset" and is_answer:
            target.sendall(piece[:PASSES_OF_AN_ANSWER])
            _reset(target)
            _reset(source)
            return False
        if mode == "black_hole" or (mode == "deaf" and is_answer):
            return True
        target.sendall(piece)
        return True

    def _reset_all(self) -> None:
        with self._lock:
            found = list(self._open)
        for each in found:
            _reset(each)


def _reset(end: socket.socket) -> None:
    """Whoever waits in `recv` wakes up; the other side sees a reset as soon as the last of ours is closed."""
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
