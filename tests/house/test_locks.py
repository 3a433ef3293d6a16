"""Every requirement is pinned, hashed, and has its reason."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==([A-Za-z0-9.]+)", re.MULTILINE)
LOCKS = [("requirements.in", "requirements.txt"), ("requirements-dev.in", "requirements-dev.txt")]


def pins(name: str) -> dict[str, str]:
    """Name and version of every pinned line."""
    return {package.lower(): version for package, version in PIN.findall((ROOT / name).read_text())}


def lines(name: str) -> list[str]:
    text = (ROOT / name).read_text()
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("asked", [asked for asked, _ in LOCKS])
def test_every_direct_requirement_is_an_exact_pin(asked: str) -> None:
    assert [line for line in lines(asked) if not PIN.match(line) and not line.startswith("-r ")] == []


@pytest.mark.parametrize(("asked", "locked"), LOCKS)
def test_the_lock_holds_what_is_asked_for(asked: str, locked: str) -> None:
    assert pins(asked).items() <= pins(locked).items()


@pytest.mark.parametrize("locked", [locked for _, locked in LOCKS])
def test_every_locked_requirement_has_hashes_and_a_reason_to_be_there(locked: str) -> None:
    text = (ROOT / locked).read_text()
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    requirements = [block for block in blocks if PIN.match(block)]
    assert {PIN.findall(block)[0][0] for block in requirements} == set(pins(locked))
    assert len(requirements) > 50
    assert [block.split()[0] for block in requirements if "--hash=sha256:" not in block or "# via" not in block] == []


def test_the_platform_runs_on_what_it_was_tested_with() -> None:
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()


@pytest.mark.parametrize("locked", [locked for _, locked in LOCKS])
def test_a_lock_names_no_folder_and_no_registry(locked: str) -> None:
    text = (ROOT / locked).read_text()
    assert re.findall(r"^(?:--.*|.*(?:://|file:).*)$", text, re.MULTILINE) == []


def test_every_direct_requirement_has_its_line_in_the_docs_and_no_line_is_left_over() -> None:
    told = dict(re.findall(r"^\| `([^`]+)` \| ([^ |]+) \|", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE))
    assert told == pins("requirements.in") | pins("requirements-dev.in")
