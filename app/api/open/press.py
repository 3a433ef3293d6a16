"""Writing an answer of any length in bounded memory: into a file that is in memory while small, on disk when large.

The whole body is written in one snapshot of the database before the first byte leaves, so that no transaction waits
for a slow reader and the validators in front belong to these very bytes.
"""

import gzip
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import orjson

from app.api.open.facts import Batch, Edition, Entry
from app.api.open.forms import Ending, Form

IN_MEMORY = 4 * 1024 * 1024
CHUNK = 64 * 1024


@dataclass
class Witness:
    """Sees the facts go by and can afterwards say which content they are."""

    form: Form
    edition: Edition
    name: str
    returned: int = 0
    next_after: uuid.UUID | None = None
    _seen: Any = field(default_factory=lambda: blake2b(digest_size=16), repr=False)

    def __post_init__(self) -> None:
        self._seen.update(orjson.dumps([self.name, self.edition]))

    def watch(self, batches: Iterable[Batch]) -> Iterator[Entry]:
        """The entries of all batches, counted and remembered."""
        for batch in batches:
            self._seen.update(orjson.dumps([self.form.said_of(entry) for entry in batch.entries]))
            self.returned += len(batch.entries)
            self.next_after = batch.next_after
            yield from batch.entries

    def fingerprint(self) -> str:
        """The same for the same content; nothing was written to learn it."""
        return str(self._seen.hexdigest())


class Press:
    """A body in the making: all elements first, then the end, then it can be read once."""

    def __init__(self, witness: Witness, *, zipped: bool) -> None:
        self.witness = witness
        self._spool = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by `close`
        self._sheet: IO[bytes] = _zipping(self._spool) if zipped else self._spool

    def write(self, batches: Iterable[Batch]) -> None:
        """Everything but the end."""
        form, separator = self.witness.form, b""
        self._sheet.write(form.opening)
        if form.always_first is not None:
            self._sheet.write(orjson.dumps(form.always_first))
            separator = b","
        for entry in self.witness.watch(batches):
            self._sheet.write(separator + _element(form.element(entry, self.witness.edition)))
            separator = b","

    def end(self, ending: Ending) -> int:
        """The end; returns how many bytes the body has."""
        self._sheet.write(self.witness.form.closing(ending))
        if self._sheet is not self._spool:
            self._sheet.close()
        size = self._spool.tell()
        self._spool.seek(0)
        return size

    def read(self) -> Iterator[bytes]:
        """The body, piece by piece, once."""
        try:
            while piece := self._spool.read(CHUNK):
                yield piece
        finally:
            self.close()

    def close(self) -> None:
        """Forget the body."""
        self._spool.close()


def _element(told: Any) -> bytes:
    """Times to the second."""
    return orjson.dumps(told, option=orjson.OPT_OMIT_MICROSECONDS)


def _zipping(spool: Any) -> IO[bytes]:
    """The same bytes for the same content: a zip that names no time."""
    return gzip.GzipFile(fileobj=spool, mode="wb", compresslevel=5, mtime=0)  # type: ignore[return-value]
