"""State machines as one readable list of (from, event, to); nothing else may change a state.

Every move is a row in `state_event`, written in the move's own transaction, whose foreign key into `state_transition`
proves the edge.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final, Protocol, cast

from sqlalchemy import (
    CTE,
    BigInteger,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    String,
    Table,
    bindparam,
    func,
    insert,
    inspect,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm.attributes import set_committed_value

from app.kernel import clock
from app.kernel.base import Base
from app.kernel.db import current
from app.kernel.prepared import Prepared
from app.kernel.refusals import Conflict

BORN = ""
"""The state before the first one: a row's birth is an edge like any other."""

Edge = tuple[str, str, str]


class WrongState(Conflict):
    """The row is not in a state from which this event leads anywhere."""

    code = "wrong_state"
    message = "当前状态不允许此操作"


class StateTransition(Base):
    """One edge of one machine's graph; filled by migrations, compared with the code by a test."""

    __tablename__ = "state_transition"
    machine: Mapped[str] = mapped_column(primary_key=True)
    from_state: Mapped[str] = mapped_column(primary_key=True)
    to_state: Mapped[str] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)


class StateEvent(Base):
    """One move of one row: who or what caused it, and when. Append-only."""

    __tablename__ = "state_event"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    machine: Mapped[str]
    entity_id: Mapped[int]
    from_state: Mapped[str]
    to_state: Mapped[str]
    event: Mapped[str]
    cause: Mapped[str]
    at: Mapped[datetime]
    transaction_id: Mapped[int] = mapped_column(server_default=func.txid_current())
    __table_args__ = (
        ForeignKeyConstraint(
            ["machine", "from_state", "to_state", "event"],
            [
                "state_transition.machine",
                "state_transition.from_state",
                "state_transition.to_state",
                "state_transition.event",
            ],
            name="a_move_follows_an_edge_of_the_graph",
        ),
        Index("ix_state_event_machine_entity_id", "machine", "entity_id"),
    )


_EVENT: Final = cast("Table", StateEvent.__table__)
_TELL: Final = insert(_EVENT)
"""Into the table, not the model: nobody wants the row back."""
_COLUMNS: Final = ("machine", "entity_id", "from_state", "to_state", "event", "cause", "at")
_TOLD: Final = Prepared(_TELL.values({name: bindparam(name) for name in _COLUMNS}).inline())


_NEW: Final = "new_"
"""Before the names of the values that a move sets, beside those of the event."""


class Stateful(Protocol):
    """A row with an id and a state."""

    id: Any
    state: Any


class Machine:
    """The graph of one kind of row. Edges from `BORN` say in which states a row may begin."""

    def __init__(self, name: str, edges: Sequence[Edge]) -> None:
        self.name = name
        self.edges = tuple(edges)
        self._next = {(source, event): target for source, event, target in edges}

    def may(self, state: str, event: str) -> bool:
        """Whether `event` leads anywhere from `state`."""
        return (state, event) in self._next

    def born(self, row: Stateful, cause: str, event: str = "born") -> None:
        """Record the first state of a row just inserted (flushes, so that it has an id)."""
        current().flush()
        self._record(row.id, BORN, event, str(row.state), cause)

    def birth(self, new: CTE) -> CTE:
        """For a statement that inserts rows as `new`, which returns ids and states: their first moves, with them.

        The statement is told `event`, `cause` and the moment `at`.
        """
        told = select(
            literal(self.name), new.c.id, literal(BORN), new.c.state, bindparam("event", type_=String),
            bindparam("cause", type_=String), bindparam("at", type_=DateTime(timezone=True)),
        )  # fmt: skip
        return _TELL.from_select(_COLUMNS, told).cte("told")

    def many_born(self, ids: Sequence[int], state: str, event: str, cause: str) -> None:
        """Record the first state of many rows just inserted, all of them in `state`."""
        told = {"machine": self.name, "from_state": BORN, "event": event, "to_state": state, "cause": cause}
        moment = clock.now()
        current().execute(_TELL, [{**told, "entity_id": each, "at": moment} for each in ids])

    def move(self, row: Stateful, event: str, cause: str, **along: object) -> None:
        """Take the one edge that `event` names from the row's state, setting the columns `along` with it to values.

        Refuses `WrongState` when there is no such edge or somebody else moved the row first.
        """
        before = str(row.state)
        after = self._next.get((before, event))
        if after is None:
            raise WrongState(machine=self.name, state=before, event=event)
        current().flush()
        columns = {"state": after, **along}
        moved = _moving(type(row), tuple(columns)).run(
            machine=self.name, entity_id=row.id, from_state=before, event=event, to_state=after, cause=cause,
            at=clock.now(), **{_NEW + name: value for name, value in columns.items()},
        )  # fmt: skip
        if moved != 1:
            raise WrongState(machine=self.name, state=before, event=event)
        for name, value in columns.items():
            set_committed_value(row, name, value)

    def _record(self, entity_id: int, before: str, event: str, after: str, cause: str) -> None:
        _TOLD.run(
            machine=self.name, entity_id=entity_id, from_state=before, to_state=after, event=event, cause=cause,
            at=clock.now(),
        )  # fmt: skip


@cache
def _moving(kind: type[Stateful], names: tuple[str, ...]) -> Prepared:
    """One statement for every move of such a row that sets these columns, by their attributes' names.

    It moves the row if it is where it was, and writes the move down: it touches one row, or none.
    """
    columns = inspect(kind).columns
    here = columns["id"] == bindparam("entity_id"), columns["state"] == bindparam("from_state", type_=String)
    values = {columns[name]: bindparam(_NEW + name, type_=columns[name].type) for name in names}
    moved = update(inspect(kind).local_table).where(*here).values(values).returning(columns["id"]).cte("moved")
    told = {name: bindparam(name, type_=_EVENT.c[name].type) for name in _COLUMNS} | {"entity_id": moved.c.id}
    return Prepared(_TELL.from_select(_COLUMNS, select(*told.values())))


def registered_rows(machine: Machine) -> list[dict[str, str]]:
    """The machine's edges as rows of `state_transition`, for migrations and their test."""
    return [
        {
            "machine": machine.name,
            "from_state": source,
            "event": event,
            "to_state": target,
        }
        for source, event, target in machine.edges
    ]
