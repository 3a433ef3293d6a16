"""A file to which lines are only added. Put the folder on another machine's storage, where this one can only append."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.adapters.anchors.anchor import Anchor, AnchorsUnreadable

FILE = "audit-anchors.jsonl"
LONGEST_LINE = 1_000


@dataclass(frozen=True)
class FolderAnchors:
    """Anchors as lines of JSON in one file, each written with one call and flushed to the disk."""

    folder: Path

    @property
    def name(self) -> str:
        return str(self.folder)

    @property
    def file(self) -> Path:
        return self.folder / FILE

    def last(self) -> Anchor | None:
        """Read from the file's end."""
        try:
            with self.file.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 2 * LONGEST_LINE))
                lines = file.read().splitlines()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise AnchorsUnreadable(f"{self.file}: {error.strerror}") from error
        return _read(lines[-1], "last line") if lines else None

    def append(self, anchor: Anchor) -> None:
        """One write of one line: of two processes that append at once neither tears the other's."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                os.write(file, _line(anchor))
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            raise AnchorsUnreadable(f"{self.file}: {error.strerror}") from error

    def all(self) -> Sequence[Anchor]:
        try:
            return list(self._all())
        except OSError as error:
            raise AnchorsUnreadable(f"{self.file}: {error.strerror}") from error

    def _all(self) -> Iterator[Anchor]:
        if not self.file.exists():
            return
        with self.file.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield _read(line, f"line {number}")


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
