"""The few words that migrations share; frozen: a step that has run somewhere relies on them."""

from collections.abc import Iterable

from alembic import op

Edge = tuple[str, str, str]


def grant(rights: str, *tables: str) -> None:
    """Give the application's role exactly these rights on these tables."""
    for table in tables:
        op.execute(f'GRANT {rights} ON "{table}" TO app_rw')


def append_only(*tables: str) -> None:
    """Rows can be added and read, by anybody, and never changed or removed."""
    for table in tables:
        op.execute(
            f'CREATE TRIGGER {table}_rows_never_change BEFORE UPDATE OR DELETE ON "{table}" '
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f'CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON "{table}" '
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        grant("SELECT, INSERT", table)


def only_ends(*tables: str) -> None:
    """Rows that hold from a date on can be added, and their `valid` shortened at its end; nothing else changes."""
    for table in tables:
        op.execute(
            f'CREATE TRIGGER {table}_only_ends BEFORE UPDATE OF valid ON "{table}" '
            "FOR EACH ROW EXECUTE FUNCTION refuse_stretching()"
        )
        grant("SELECT, INSERT, UPDATE (valid)", table)


def written_down(table: str, *columns: str, moving: str | None = None) -> None:
    """Each new row of a money table is told to the audit log with these columns, and each change of the moving one."""
    told = ", ".join(f"'{column}'" for column in columns)
    op.execute(
        f'CREATE TRIGGER {table}_is_written_down AFTER INSERT ON "{table}" '
        f"FOR EACH ROW EXECUTE FUNCTION write_down({told})"
    )
    if moving:
        op.execute(
            f'CREATE TRIGGER {table}_move_is_written_down AFTER UPDATE OF {moving} ON "{table}" FOR EACH ROW '
            f"WHEN (OLD.{moving} IS DISTINCT FROM NEW.{moving}) EXECUTE FUNCTION write_down({told})"
        )


def change_written_down(table: str, changing: str, *columns: str) -> None:
    """Each change of one more column of a money table is told to the audit log with these columns."""
    told = ", ".join(f"'{column}'" for column in columns)
    op.execute(
        f'CREATE TRIGGER {table}_{changing}_is_written_down AFTER UPDATE OF {changing} ON "{table}" FOR EACH ROW '
        f"WHEN (OLD.{changing} IS DISTINCT FROM NEW.{changing}) EXECUTE FUNCTION write_down({told})"
    )


def line_written_down(table: str, of: str, *columns: str) -> None:
    """Each new row of a table without ids is told to the audit log under the id of what it is a line `of`."""
    told = ", ".join(f"'{column}'" for column in (of, *columns))
    op.execute(
        f'CREATE TRIGGER {table}_is_written_down AFTER INSERT ON "{table}" '
        f"FOR EACH ROW EXECUTE FUNCTION write_down_line({told})"
    )


def graph(machine: str, edges: Iterable[Edge]) -> None:
    """Store a state machine's (from, event, to) edges."""
    for source, event, target in edges:
        op.execute(
            "INSERT INTO state_transition (machine, from_state, event, to_state) "
            f"VALUES ('{machine}', '{source}', '{event}', '{target}')"
        )


def follows_graph(table: str, machine: str) -> None:
    """The table's state moves only along the machine's edges, and each move is written down by the commit."""
    op.execute(
        f'CREATE TRIGGER {table}_follows_its_graph BEFORE INSERT OR UPDATE OF state ON "{table}" '
        f"FOR EACH ROW EXECUTE FUNCTION refuse_unknown_move('{machine}')"
    )
    op.execute(
        f'CREATE CONSTRAINT TRIGGER {table}_tells_each_move AFTER INSERT OR UPDATE OF state ON "{table}" '
        f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION demand_its_event('{machine}')"
    )


def forget_graph(machine: str) -> None:
    """Take a machine's edges back, with the moves that followed them."""
    op.execute("ALTER TABLE state_event DISABLE TRIGGER state_event_rows_never_change")
    op.execute(f"DELETE FROM state_event WHERE machine = '{machine}'")
    op.execute("ALTER TABLE state_event ENABLE TRIGGER state_event_rows_never_change")
    op.execute(f"DELETE FROM state_transition WHERE machine = '{machine}'")
