"""Shared counters lie in a folder that the first process makes."""

from pathlib import Path

import pytest
from flask import Flask

from app.web import metrics


def test_a_missing_folder_for_shared_counters_is_made_and_not_met_by_a_motorist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "not" / "yet"
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(folder))
    metrics.attach(Flask("empty"))
    assert folder.is_dir()
