"""What a camera keeps through a power cut: its list, its unsent records, its counters, and what its relays did."""

import json
import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS fact (serial TEXT, name TEXT, value REAL, PRIMARY KEY (serial, name));
CREATE TABLE IF NOT EXISTS list_row (
    serial TEXT, plate TEXT, begins TEXT, ends TEXT, PRIMARY KEY (serial, plate)
);
CREATE TABLE IF NOT EXISTS record (serial TEXT, number INTEGER, body TEXT, PRIMARY KEY (serial, number));
CREATE TABLE IF NOT EXISTS relay (id INTEGER PRIMARY KEY, serial TEXT, at REAL, io INTEGER, value INTEGER, why TEXT);
"""


class Shelf:
    """One SQLite file for all cameras of a process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.executescript(_TABLES)

    def run(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """One statement, committed; the rows it gives."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        """Everything is on disk."""
        with self._lock:
            self._connection.close()


class Memory:
    """What one camera keeps."""

    def __init__(self, shelf: Shelf, serial: str) -> None:
        self._shelf, self._serial = shelf, serial

    def fact(self, name: str) -> float:
        """A number by its name; 0 until it is set."""
        rows = self._shelf.run("SELECT value FROM fact WHERE serial = ? AND name = ?", self._serial, name)
        return float(rows[0][0]) if rows else 0.0

    def set_fact(self, name: str, value: float) -> None:
        """Keep a number."""
        self._shelf.run("INSERT OR REPLACE INTO fact VALUES (?, ?, ?)", self._serial, name, value)

    def next_number(self, name: str) -> int:
        """Count on."""
        self.set_fact(name, self.fact(name) + 1)
        return int(self.fact(name))

    def rows(self) -> list[dict[str, str]]:
        """The list, by plate."""
        query = "SELECT plate, begins, ends FROM list_row WHERE serial = ? ORDER BY plate"
        return [
            dict(zip(("plate", "begins", "ends"), row, strict=True)) for row in self._shelf.run(query, self._serial)
        ]

    def put_row(self, plate: str, begins: str, ends: str) -> None:
        """Add a row, or replace the plate's."""
        self._shelf.run("INSERT OR REPLACE INTO list_row VALUES (?, ?, ?, ?)", self._serial, plate, begins, ends)

    def drop_row(self, plate: str) -> None:
        """Remove a plate's row; an empty plate empties the list, as the vendor has it."""
        if plate:
            self._shelf.run("DELETE FROM list_row WHERE serial = ? AND plate = ?", self._serial, plate)
        else:
            self._shelf.run("DELETE FROM list_row WHERE serial = ?", self._serial)

    def keep(self, number: int, body: Mapping[str, Any], most: int) -> None:
        """Keep an unsent record; beyond `most` the oldest goes."""
        text = json.dumps(body, ensure_ascii=False)
        self._shelf.run("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", self._serial, number, text)
        self._shelf.run(
            "DELETE FROM record WHERE serial = ?1 AND number NOT IN "
            "(SELECT number FROM record WHERE serial = ?1 ORDER BY number DESC LIMIT ?2)", self._serial, most,
        )  # fmt: skip

    def oldest(self) -> tuple[int, dict[str, Any]] | None:
        """The record that has waited longest."""
        query = "SELECT number, body FROM record WHERE serial = ? ORDER BY number LIMIT 1"
        rows = self._shelf.run(query, self._serial)
        return (int(rows[0][0]), json.loads(rows[0][1])) if rows else None

    def waiting(self) -> int:
        """How many records are unsent."""
        return int(self._shelf.run("SELECT count(*) FROM record WHERE serial = ?", self._serial)[0][0])

    def sent(self, number: int) -> None:
        """A record was taken."""
        self._shelf.run("DELETE FROM record WHERE serial = ? AND number = ?", self._serial, number)

    def note_relay(self, at: float, io: int, value: int, why: str) -> None:
        """A relay closed."""
        self._shelf.run(
            "INSERT INTO relay (serial, at, io, value, why) VALUES (?, ?, ?, ?, ?)", self._serial, at, io, value, why
        )

    def relays(self) -> list[dict[str, Any]]:
        """What the relays did, in order."""
        rows = self._shelf.run("SELECT io, value, why FROM relay WHERE serial = ? ORDER BY id", self._serial)
        return [dict(zip(("io", "value", "why"), row, strict=True)) for row in rows]

    def reset(self) -> None:
        """To the maker's state: nothing is kept."""
        for table in ("fact", "list_row", "record"):
            self._shelf.run(f"DELETE FROM {table} WHERE serial = ?", self._serial)  # noqa: S608

    def lose_records(self) -> None:
        """What is kept in memory alone is gone."""
        self._shelf.run("DELETE FROM record WHERE serial = ?", self._serial)
