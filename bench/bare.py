"""The yardsticks: the least that Flask can answer, and a page of JSON, served by the same gunicorn as the platform."""

import json
import os
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify

app = Flask("bare", static_folder=None, template_folder=None)
app.json.ensure_ascii = False  # type: ignore[attr-defined]
"""As the platform answers: the same page must have the same size."""
PAGE_FILE = "BENCH_PAGE"
"""Names the file that holds what `/page` answers."""


def _page() -> Any:
    named = os.environ.get(PAGE_FILE)
    return json.loads(Path(named).read_bytes()) if named else {}


PAGE = _page()


@app.get("/")
def ok() -> dict[str, bool]:
    """The smallest JSON body."""
    return {"ok": True}


@app.get("/page")
def page() -> Response:
    """A page of lots that somebody else has found, as `jsonify` writes it."""
    return jsonify(PAGE)
