"""The yardstick of the gates' door: the same signature, the same nonce written once and for all, and nothing else."""

import os

from flask import Blueprint, jsonify

from app.api.gates.guard import GATE
from app.api.gates.guard import blueprint as gates
from app.factory import create_app
from app.settings import Settings
from app.web.policy import admits

signed = Blueprint("signed", __name__, url_prefix="/signed")


@signed.post("/")
@admits(GATE)
def ok() -> object:
    """A gate was recognised, and its message is spent."""
    return jsonify(ok=True)


app = create_app(Settings.from_environment(os.environ), [gates, signed])
