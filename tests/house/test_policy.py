"""The policy table, the actions and the commands tell the same: nobody acts without being asked, and all can act."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from app.domain.staff.policy import POLICY
from app.jobs.commands import NOUNS

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = ROOT / "app/domain"
COMMANDS = ROOT / "app/jobs/commands"
IMPORTING = ROOT / "app/jobs/importing"
ASKS = {"permit", "reach"}
NAME_A_LINE = ASKS | {"scopes_of"}
"""`scopes_of` names a line of the table and refuses nobody: what it widens was asked for before."""
ASKED_BEFORE = {"lots.enter_plan"}
"""Bulk import asks for each row before it enters the plan of a lot; no command may use these."""

Name = tuple[str, str]
"""A room and a function's name within it."""


@dataclass(frozen=True)
class Deed:
    """A function that takes `by: Actor`: its room, its file, and what stands in it."""

    room: str
    path: Path
    tree: ast.FunctionDef

    @property
    def name(self) -> Name:
        return self.room, self.tree.name

    @property
    def is_public(self) -> bool:
        """Whether other rooms and doors may call it: helpers that files of a room share are its own affair."""
        inner = self.path.parent.name == "actions" and self.tree.name not in exported(self.room)
        return not (inner or self.tree.name.startswith("_"))

    def __str__(self) -> str:
        return ".".join(self.name)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def exported(room: str) -> frozenset[str]:
    """What `actions/__init__.py` of a room offers."""
    tree = parsed(DOMAIN / room / "actions/__init__.py")
    return frozenset(alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names)


@cache
def deeds() -> tuple[Deed, ...]:
    """Every function of the domain that takes `by: Actor`, but for those that look a line up."""
    return tuple(
        Deed(path.relative_to(DOMAIN).parts[0], path, node)
        for path in sorted(DOMAIN.rglob("*.py"))
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef) and node.name not in NAME_A_LINE and takes_a_person(node)
    )


def takes_a_person(node: ast.FunctionDef) -> bool:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return any(each.annotation and ast.unparse(each.annotation) == "Actor" for each in arguments)


def called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def asks(call: ast.Call) -> str | None:
    """The line of the table that a call asks for, when it asks and names the line outright."""
    return line_of(call) if called(call) in ASKS else None


def line_of(call: ast.Call) -> str | None:
    """The line of the table that a call names outright."""
    is_outright = len(call.args) > 1 and isinstance(call.args[1], ast.Constant)
    return str(ast.literal_eval(call.args[1])) if called(call) in NAME_A_LINE and is_outright else None


def first_handed_to(deed: Deed) -> ast.Call | None:
    """The call that is handed the person before anything else is done with them."""
    person = [each for each in ast.walk(deed.tree) if isinstance(each, ast.Name) and each.id == "by"]
    if not person:
        return None
    first = min(person, key=lambda use: (use.lineno, use.col_offset))
    calls = [each for each in ast.walk(deed.tree) if isinstance(each, ast.Call) and first in each.args]
    return calls[0] if calls else None


@cache
def asking() -> frozenset[Name]:
    """The functions that ask first, themselves or through the function that they hand the person first."""
    first = [(deed, call) for deed in deeds() if (call := first_handed_to(deed)) is not None]
    known = {deed.name for deed, call in first if asks(call)}
    while more := {deed.name for deed, call in first if names_in(deed.path, ast.walk(call.func)) & known} - known:
        known |= more
    return frozenset(known)


def lines_asked(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each line of the table that is named, with the file that names it."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and called(node) in NAME_A_LINE and path.parent.name != "staff":
                assert line_of(node), f"{path}: {ast.unparse(node)} names no line of the table outright"
            if isinstance(node, ast.Call) and (line := line_of(node)):
                yield path, line


def names_in(path: Path, within: Iterable[ast.AST]) -> set[Name]:
    """What a piece of a file names of the domain: by import, by a module's attribute, or as its own room's."""
    homes = dict(imports(path))
    own = path.relative_to(DOMAIN).parts[0] if path.is_relative_to(DOMAIN) else ""
    found: set[Name] = set()
    for node in within:
        if isinstance(node, ast.Name):
            found.add(homes.get(node.id, (own, node.id)))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in homes:
            found.add((homes[node.value.id][0], node.attr))
    return found


def imports(path: Path) -> Iterator[tuple[str, Name]]:
    """The names under which a file knows things of the domain."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("app.domain."):
            for alias in node.names:
                yield alias.asname or alias.name, (str(node.module).split(".")[2], alias.name)


@cache
def within_reach_of_commands() -> frozenset[Name]:
    """Deeds that a command names, and those that such a deed does on the way."""
    files = [*COMMANDS.rglob("*.py"), *IMPORTING.rglob("*.py")]
    reached = {name for path in files for name in names_in(path, ast.walk(parsed(path)))}
    by_name = {deed.name: names_in(deed.path, ast.walk(deed.tree)) for deed in deeds()}
    while more := {inner for name, inside in by_name.items() if name in reached for inner in inside} - reached:
        reached |= more
    return frozenset(reached)


ACTS = [deed for deed in deeds() if deed.is_public and str(deed) not in ASKED_BEFORE]


@pytest.mark.parametrize("deed", ACTS, ids=str)
def test_whoever_acts_is_named_first_and_asked_before_anything_else(deed: Deed) -> None:
    assert deed.tree.args.args[0].arg == "by"
    assert deed.name in asking()


@pytest.mark.parametrize("deed", ACTS, ids=str)
def test_whatever_staff_may_do_a_command_does(deed: Deed) -> None:
    assert deed.name in within_reach_of_commands()


def test_every_line_of_the_table_is_asked_and_every_line_that_is_asked_is_there() -> None:
    assert {line for _, line in lines_asked(ROOT / "app")} == set(POLICY)


def test_a_room_asks_for_its_own_lines() -> None:
    asked = {(path.relative_to(DOMAIN).parts[0], line.split(".")[0]) for path, line in lines_asked(DOMAIN)}
    assert {pair for pair in asked if pair[0] != pair[1]} == set()


@pytest.mark.parametrize("path", sorted(COMMANDS.glob("*.py")), ids=lambda path: path.stem)
def test_no_command_goes_round_the_question(path: Path) -> None:
    named = {".".join(name) for name in names_in(path, ast.walk(parsed(path)))}
    assert named & ASKED_BEFORE == set()


def test_every_file_of_commands_is_a_noun() -> None:
    files = {path.stem for path in COMMANDS.glob("*.py")} | {
        path.parent.name for path in COMMANDS.glob("*/__init__.py")
    }
    assert files - {"__init__", "answers", "door"} == {place.split(":")[0] for place, _ in NOUNS.values()}
