"""Shared counters lie in a folder that the first process makes."""

from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from app.web import metrics


def test_a_missing_folder_for_shared_counters_is_made_and_not_met_by_a_motorist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "not" / "yet"
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(folder))
    metrics.attach(Flask("empty"))
    assert folder.is_dir()


def test_a_scrape_that_meets_a_file_in_the_making_tells_what_there_is(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    with closing(MmapedDict(str(tmp_path / "counter_1.db"))) as written:  # type: ignore[no-untyped-call]
        written.write_value(mmap_key("x", "x_total", [], [], "x"), 3.0, 0.0)  # type: ignore[no-untyped-call]
    (tmp_path / "counter_2.db").touch()
    answer = app.test_client().get("/metrics")
    assert answer.status_code == 200
    assert "x_total 3.0" in answer.get_data(as_text=True)
