"""Who may speak at the cameras' door: whoever names a gate and its secret in the path.

Nothing else proves such a call, so the secret is long, of one gate alone, and stands in no log: routes are logged by
their pattern. A wrong one is answered as if there were no such gate.
"""

import functools
from collections.abc import MutableMapping
from typing import Any

from flask import Blueprint, g, request

from app.adapters.gates.dialects import CAMERAS
from app.adapters.gates.words import Dialect
from app.api.gates.guard import post
from app.domain.gates import actions as gates
from app.domain.gates.actions import VendorCaller
from app.domain.gates.actions.devices import UnknownGate
from app.domain.gates.actions.messages import GateDisabled
from app.web import limits
from app.web.policy import Policy, View

RATE = "60 per 3 second"
STRANGERS = "20 per minute"
"""Wrong secrets from one address in one process."""

PUSH_BYTES = 3 * 1024 * 1024
"""Two photographs in base64."""

FORM_BYTES = 16 * 1024

SERVED = frozenset({*CAMERAS, *gates.PARK_SYSTEMS})
"""Who may tell events; only cameras poll."""

cameras = Blueprint("cameras", __name__, url_prefix="/camera/v1")


def _only_cameras(view: View) -> View:
    @functools.wraps(view)
    def guarded(*args: Any, **words: Any) -> Any:
        _let_in()
        return view(*args, **words)

    return guarded


def _only_patient_cameras(view: View) -> View:
    """The same for polls, a few at a time: cars must not wait for them."""

    @functools.wraps(view)
    def guarded(*args: Any, **words: Any) -> Any:
        with post().few_at_a_time:
            _let_in()
        return view(*args, **words)

    return guarded


CAMERA = Policy("camera", _only_cameras)
PATIENT_CAMERA = Policy("patient_camera", _only_patient_cameras)


def _let_in() -> None:
    address = request.remote_addr or ""
    try:
        found = gates.recognise_vendor(g.gate_key, g.gate_secret, address)
    except UnknownGate:
        limits.take_here(STRANGERS, f"camera:{address}")
        raise
    if found.profile not in (SERVED if request.endpoint == "cameras.events" else CAMERAS):
        raise UnknownGate
    if not found.enabled:
        raise GateDisabled
    g.camera, g.caller = found, f"gate:{found.device_id}"
    limits.take(RATE, g.caller)


@cameras.url_value_preprocessor
def _take_secret(endpoint: str | None, values: MutableMapping[str, Any] | None) -> None:
    """Before anything looks at the request: the secret leaves its arguments; a push carries photographs."""
    values = {} if values is None else values
    g.gate_key, g.gate_secret = values.pop("gate", None), values.pop("secret", "")
    request.max_content_length = PUSH_BYTES if endpoint == "cameras.events" else FORM_BYTES


def camera() -> VendorCaller:
    """The camera that speaks."""
    caller = g.camera
    assert isinstance(caller, VendorCaller)
    return caller


def dialect() -> Dialect:
    """How it speaks, by its row."""
    return CAMERAS[camera().profile]
