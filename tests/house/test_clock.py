"""There is one clock: the rooms and the kernel ask nobody else what time it is."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OTHER_CLOCKS = {"datetime.now", "datetime.utcnow", "date.today", "datetime.today", "time.time", "func.now"}
MAY = {
    "app/kernel/ids.py",  # the time part of a key only keeps neighbours together
}


def asked(path: Path) -> set[str]:
    return {
        f"{node.func.value.id}.{node.func.attr}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    }


def test_rooms_know_no_other_clock() -> None:
    for floor in ("app/kernel", "app/domain", "payments"):
        for path in (ROOT / floor).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if name not in MAY:
                assert not asked(path) & OTHER_CLOCKS, name
