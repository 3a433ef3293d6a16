"""Imports go down, never up: docs/architecture.md as a test that says which room broke it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = [
    *(
        "supervision",
        "complaints",
        "city_feed",
        "erasure",
        "service_fees",
        "settlements",
        "remittance",
        "reconciliation",
        "finance",
        "receipts",
        "refunds",
        "adjustments",
        "departures",
        "stays",
        "regulars",
        "reservations",
        "search",
        "partners",
    ),
    *(
        "conduct",
        "arrears",
        "gates",
        "claims",
        "pricing",
        "payees",
        "lots",
        "calendars",
        "messages",
        "motorists",
        "units",
        "audit",
        "tasks",
    ),
    *("policies", "staff"),
]
"""Each may import those to its right, never those to its left."""
SHARED = ["app.factory", "app.wiring", "app.web", "app.settings"]
DOORS = ["miniprogram_api", "app.api", "app.console", "app.jobs"]
FLOORS = {"app.kernel": 10, "payments": 20, "app.adapters": 20, "wsgi": 80}
FLOORS |= {f"app.domain.{room}": 30 + place for place, room in enumerate(reversed(ROOMS))}
FLOORS |= {name: 70 + place for place, name in enumerate(reversed(SHARED))}
FLOORS |= dict.fromkeys(DOORS, 75)
OURS = {"app", "payments", "miniprogram_api", "wsgi", "simulators", "launcher", "demo", "bench", "migrations", "tests"}
WEB = {"flask", "flask_smorest", "flask_sqlalchemy", "werkzeug", "redis", "marshmallow", "webargs", "limits"}
FILES = {"__init__", "models", "rules", "actions", "queries"}
WORDS = {
    "app.domain.staff": {"policy", "passwords"},
    "app.domain.motorists": {"plates", "published"},
    "app.domain.calendars": {"seeds", "sheets"},
    "app.domain.pricing": {"published"},
    "app.domain.receipts": {"papers"},
}
"""Beside the four files: a room's own vocabulary, and what it publishes."""


def modules(*folders: str) -> Iterator[tuple[str, Path]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")) or [ROOT / f"{folder}.py"]:
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts), path


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by dots"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def home(module: str) -> str | None:
    """The room in which a module lies."""
    return next((room for room in sorted(FLOORS, key=len, reverse=True) if f"{module}.".startswith(f"{room}.")), None)


def broken(module: str, imported: str) -> str | None:
    ours, theirs = home(module), home(imported)
    if imported.split(".", maxsplit=1)[0] not in OURS or imported == "app" or ours is None or ours == theirs:
        return None
    if theirs is None:
        return f"{ours} imports {imported}, which is on no floor: {module}"
    return f"{ours} imports up or sideways to {theirs}: {module}" if FLOORS[theirs] >= FLOORS[ours] else None


HOUSE = list(modules("app", "payments", "miniprogram_api", "wsgi"))


@pytest.mark.parametrize(("module", "path"), HOUSE, ids=[module for module, _ in HOUSE])
def test_imports_go_down(module: str, path: Path) -> None:
    assert [told for imported in imports(path) if (told := broken(module, imported))] == []


def test_every_module_of_the_house_is_on_a_floor() -> None:
    homeless = {module for module, _ in HOUSE if home(module) is None}
    assert homeless == {"app.__init__", "app.domain.__init__"}
    assert list(imports(ROOT / "app/__init__.py")) == list(imports(ROOT / "app/domain/__init__.py")) == []


@pytest.mark.parametrize("folder", ["app/kernel", "app/domain", "payments"])
def test_rooms_know_nothing_of_the_web_and_only_the_wechat_client_calls_out(folder: str) -> None:
    for module, path in modules(folder):
        roots = {imported.split(".")[0] for imported in imports(path)}
        assert not roots & WEB, f"{module} imports {roots & WEB}"
        assert "requests" not in roots or module.startswith("payments.wechat."), f"{module} imports requests"


def test_simulators_import_nothing_of_ours() -> None:
    for module, path in modules("simulators"):
        roots = {imported.split(".")[0] for imported in imports(path)}
        assert roots & OURS <= {"simulators"}, f"{module} imports {roots & OURS}"


def test_rooms_have_the_same_files_everywhere() -> None:
    rooms = [f"app.domain.{room}" for room in ROOMS]
    for room in [
        *rooms,
        "payments.payees",
        "payments.charges",
        "payments.ledger",
        "payments.parity",
        "payments.receipts",
        "payments.refunds",
        "payments.shipping",
        "payments.bank",
        "payments.bills",
        "payments.reconciliation",
    ]:
        found = {path.stem for path in (ROOT / room.replace(".", "/")).glob("*") if path.name != "__pycache__"}
        assert found <= FILES | WORDS.get(room, set()), f"{room} has {found - FILES}"


def test_a_room_without_a_place_in_the_row_is_noticed() -> None:
    assert {path.name for path in (ROOT / "app/domain").iterdir() if path.is_dir()} - {"__pycache__"} <= set(ROOMS)


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("app.domain.lots.queries", "app.domain.stays.models.Stay"),
        ("app.kernel.clock", "app.settings.Settings"),
        ("payments.charges.rules", "app.domain.stays.rules"),
        ("payments.payees.rules", "app.adapters.identity"),
        ("miniprogram_api.stays", "app.api.ops"),
        ("app.web.policy", "app.wiring.wiring"),
        ("app.domain.stays.rules", "simulators.wechat"),
    ],
)
def test_an_import_upwards_or_sideways_would_be_found(module: str, imported: str) -> None:
    assert broken(module, imported)
