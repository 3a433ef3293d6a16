"""The yardstick: the least that Flask can answer, served by the same gunicorn as the platform."""

from flask import Flask

app = Flask("bare", static_folder=None, template_folder=None)


@app.get("/")
def ok() -> dict[str, bool]:
    """The smallest JSON body."""
    return {"ok": True}
