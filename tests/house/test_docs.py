"""What the documents promise exists: commands, files, environment names."""

import re
from pathlib import Path

import pytest
from flask import Flask

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
MAKE = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_make_targets_that_exist(page: Path) -> None:
    named = set(re.findall(r"`make ([a-z]+)", page.read_text()))
    assert named <= MAKE


def test_pages_name_only_commands_that_exist(app: Flask) -> None:
    for page in PAGES:
        named = set(re.findall(r"flask --app wsgi ([a-z-]+)", page.read_text()))
        assert named <= set(app.cli.commands) | {"db", "routes", "shell"}, page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target
