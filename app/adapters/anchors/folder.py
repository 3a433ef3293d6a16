"""A file to which lines are only added. Put the folder on another machine's storage, where this one can only append."""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from app.adapters.anchors.anchor import Anchor, AnchorsUnreadable

FILE = "audit-anchors.jsonl"
LONGEST_LINE = 1_000


@dataclass(frozen=True)
class FolderAnchors:
    """Anchors as lines of JSON in one file, each flushed to the disk before the next."""

    folder: Path

    @property
    def name(self) -> str:
        return str(self.folder)

    @property
    def file(self) -> Path:
        return self.folder / FILE

    def last(self) -> Anchor | None:
        """Read from the file's end."""
        with self._telling(), suppress(FileNotFoundError), self._opened(os.O_RDONLY) as file:
            lines = _kept(file).lines
            return _read(lines[-1], "last line") if lines else None
        return None

    def append(self, anchor: Anchor) -> None:
        """The whole line or nothing of it, one process after the other; what somebody wrote in part before is cut."""
        with self._telling():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._opened(os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                kept = _kept(file)
                if kept.torn:
                    os.ftruncate(file, kept.end)
                _add(file, _line(anchor), kept.end)

    def all(self) -> Sequence[Anchor]:
        with self._telling():
            return list(self._all())

    def _all(self) -> Iterator[Anchor]:
        if not self.file.exists():
            return
        with self.file.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.endswith(b"\n"):
                    yield _read(line, f"line {number}")

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise AnchorsUnreadable(f"{self.file}: {error.strerror}") from error

    @contextmanager
    def _opened(self, how: int) -> Iterator[int]:
        file = os.open(self.file, how, 0o600)
        try:
            yield file
        finally:
            os.close(file)


class _Kept(NamedTuple):
    """The end of a file of anchors: its last whole lines, where they end, and what of a line stands behind that."""

    lines: Sequence[bytes]
    end: int
    torn: bytes


def _kept(file: int) -> _Kept:
    """A line without its end was never kept: whoever wrote it was told so, or was gone before they were told."""
    begin = max(0, os.fstat(file).st_size - 2 * LONGEST_LINE)
    tail = os.pread(file, 2 * LONGEST_LINE, begin)
    whole = tail.rfind(b"\n") + 1
    if begin and not whole:
        raise AnchorsUnreadable("last line is no anchor")
    return _Kept(tail[:whole].splitlines(), begin + whole, tail[whole:])


def _add(file: int, line: bytes, end: int) -> None:
    """All of it, safe on the disk, or the file is as it was."""
    try:
        while line:
            line = line[os.write(file, line) :]
        os.fsync(file)
    except OSError:
        os.ftruncate(file, end)
        raise


def _line(anchor: Anchor) -> bytes:
    told = {
        "block": anchor.block_no,
        "hash": anchor.hash.hex(),
        "rows": anchor.rows,
        "at": anchor.at.isoformat(),
        "previous": anchor.previous.hex(),
    }
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"


def _read(line: bytes, where: str) -> Anchor:
    try:
        told = json.loads(line)
        return Anchor(
            int(told["block"]), bytes.fromhex(told["hash"]), int(told["rows"]),
            datetime.fromisoformat(told["at"]), bytes.fromhex(told["previous"]),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError) as wrong:
        raise AnchorsUnreadable(f"{where} is no anchor") from wrong
