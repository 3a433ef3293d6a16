"""What a gate still knows after a power cut: its list, what it must tell, what it did. SQLite, one file for all."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simulators.gate.wire import LIST_FIELDS, list_digest

SCHEMA = """
CREATE TABLE IF NOT EXISTS gate (
    gate_id TEXT PRIMARY KEY, next_seq INTEGER NOT NULL DEFAULT 1, list_version INTEGER NOT NULL DEFAULT 0,
    offline_exit TEXT NOT NULL DEFAULT 'open', clock_error REAL NOT NULL DEFAULT 0,
    server_offset REAL NOT NULL DEFAULT 0, barrier TEXT NOT NULL DEFAULT 'closed', boots INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS list_row (
    gate_id TEXT NOT NULL, row_id TEXT NOT NULL, plate TEXT NOT NULL, colour TEXT NOT NULL,
    not_before TEXT NOT NULL, not_after TEXT NOT NULL, direction TEXT NOT NULL, PRIMARY KEY (gate_id, row_id)
);
CREATE TABLE IF NOT EXISTS event (
    gate_id TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, told INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (gate_id, seq)
);
CREATE TABLE IF NOT EXISTS command (
    gate_id TEXT NOT NULL, cmd_id TEXT NOT NULL, status TEXT NOT NULL, detail TEXT NOT NULL,
    reported INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (gate_id, cmd_id)
);
"""


class Shelf:
    """The file, shared by the gates of this process; one change at a time, each whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + SCHEMA)
        self._lock = threading.RLock()

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


class Memory:
    """One gate's part of the shelf."""

    def __init__(self, shelf: Shelf, gate_id: str) -> None:
        self._shelf, self.gate_id = shelf, gate_id
        with shelf.change() as change:
            change.execute("INSERT OR IGNORE INTO gate (gate_id) VALUES (?)", (gate_id,))

    def fact(self, name: str) -> Any:
        """One column of the gate's own row."""
        return self._shelf.rows("SELECT * FROM gate WHERE gate_id = ?", self.gate_id)[0][name]

    def note(self, **facts: Any) -> None:
        """Change columns of the gate's own row."""
        names = ", ".join(f"{name} = ?" for name in facts)
        with self._shelf.change() as change:
            change.execute(f"UPDATE gate SET {names} WHERE gate_id = ?", (*facts.values(), self.gate_id))  # noqa: S608

    def list_rows(self) -> list[dict[str, Any]]:
        """The whitelist as received."""
        rows = self._shelf.rows("SELECT * FROM list_row WHERE gate_id = ? ORDER BY row_id", self.gate_id)
        return [{name: row[name] for name in LIST_FIELDS} for row in rows]

    def list_sha256(self) -> str:
        """The digest of the whitelist that is held."""
        return list_digest(self.list_rows())

    def apply(self, answer: Mapping[str, Any]) -> None:
        """Take a whitelist answer over as a whole: at no moment is the list half, or empty in between."""
        with self._shelf.change() as change:
            if answer["full"]:
                change.execute("DELETE FROM list_row WHERE gate_id = ?", (self.gate_id,))
            for row_id in answer["delete"]:
                change.execute("DELETE FROM list_row WHERE gate_id = ? AND row_id = ?", (self.gate_id, row_id))
            for row in answer["upsert"]:
                values = [self.gate_id, *(row[name] for name in LIST_FIELDS)]
                change.execute("INSERT OR REPLACE INTO list_row VALUES (?, ?, ?, ?, ?, ?, ?)", values)
            change.execute(
                "UPDATE gate SET list_version = ?, offline_exit = ? WHERE gate_id = ?",
                (answer["to"], answer["offline_exit"], self.gate_id),
            )

    def forget_list(self) -> None:
        """A reset to the maker's state."""
        with self._shelf.change() as change:
            change.execute("DELETE FROM list_row WHERE gate_id = ?", (self.gate_id,))
            change.execute("UPDATE gate SET list_version = 0 WHERE gate_id = ?", (self.gate_id,))

    def add_event(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Give an event its number and keep it until the platform has it."""
        with self._shelf.change() as change:
            query = "UPDATE gate SET next_seq = next_seq + 1 WHERE gate_id = ? RETURNING next_seq - 1"
            seq = change.execute(query, (self.gate_id,)).fetchone()[0]
            event = {**body, "seq": seq}
            self._keep(change, event)
        return event

    def keep_event(self, event: Mapping[str, Any]) -> None:
        """Replace what is kept under an event's number."""
        with self._shelf.change() as change:
            self._keep(change, event)

    def _keep(self, change: sqlite3.Connection, event: Mapping[str, Any]) -> None:
        values = (self.gate_id, event["seq"], json.dumps(event, ensure_ascii=False))
        change.execute("INSERT OR REPLACE INTO event (gate_id, seq, body) VALUES (?, ?, ?)", values)

    def count_from(self, next_seq: int) -> None:
        """A gate without memory goes on counting where the platform stopped; it never counts back."""
        with self._shelf.change() as change:
            query = "UPDATE gate SET next_seq = max(next_seq, ?) WHERE gate_id = ?"
            change.execute(query, (next_seq, self.gate_id))

    def events(self, untold: bool) -> list[dict[str, Any]]:
        """What is kept, in order; with `untold` only what the platform has not answered yet."""
        where = "AND told = 0" if untold else ""
        query = f"SELECT body FROM event WHERE gate_id = ? {where} ORDER BY seq"  # noqa: S608
        return [json.loads(row["body"]) for row in self._shelf.rows(query, self.gate_id)]

    def tell(self, seqs: Iterable[int]) -> None:
        """The platform answered these."""
        with self._shelf.change() as change:
            values = [(self.gate_id, seq) for seq in seqs]
            change.executemany("UPDATE event SET told = 1 WHERE gate_id = ? AND seq = ?", values)

    def tell_again(self, from_seq: int) -> None:
        """The platform misses something from this number on."""
        with self._shelf.change() as change:
            change.execute("UPDATE event SET told = 0 WHERE gate_id = ? AND seq >= ?", (self.gate_id, from_seq))

    def forget_events(self, up_to: int) -> None:
        """Up to here the platform has everything."""
        with self._shelf.change() as change:
            change.execute("DELETE FROM event WHERE gate_id = ? AND seq <= ?", (self.gate_id, up_to))

    def result(self, cmd_id: str) -> tuple[str, str] | None:
        """What became of a command that was seen before."""
        query = "SELECT status, detail FROM command WHERE gate_id = ? AND cmd_id = ?"
        rows = self._shelf.rows(query, self.gate_id, cmd_id)
        return (rows[0]["status"], rows[0]["detail"]) if rows else None

    def settle(self, cmd_id: str, status: str, detail: str) -> None:
        """What became of a command; written before it is told, so that a command is never obeyed twice."""
        with self._shelf.change() as change:
            values = (self.gate_id, cmd_id, status, detail)
            change.execute("INSERT OR REPLACE INTO command VALUES (?, ?, ?, ?, 0)", values)

    def unreported(self) -> list[tuple[str, str, str]]:
        """Results that the platform does not have yet."""
        query = "SELECT cmd_id, status, detail FROM command WHERE gate_id = ? AND reported = 0"
        return [(row["cmd_id"], row["status"], row["detail"]) for row in self._shelf.rows(query, self.gate_id)]

    def reported(self, cmd_id: str) -> None:
        """The platform has this result, or refused it for good."""
        with self._shelf.change() as change:
            query = "UPDATE command SET reported = 1 WHERE gate_id = ? AND cmd_id = ?"
            change.execute(query, (self.gate_id, cmd_id))
