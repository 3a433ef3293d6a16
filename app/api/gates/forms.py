"""What a gate's messages must hold; a refusal names the field, never its value."""

from datetime import datetime
from typing import Any

from flask import request
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from app.domain.gates.rules import reports
from app.kernel.refusals import Invalid
from app.kernel.text import UNSTORABLE
from app.web.intake import parsed

HIGHEST = 2**53


class FieldsRefused(Invalid):
    """A field is missing or of the wrong form; `details.fields` names it, never its value."""

    code = "fields_refused"
    message = "字段缺失或格式有误"


def number(name: str, otherwise: int, highest: int) -> int:
    """A whole number of the query. Refuses `FieldsRefused`."""
    text = request.args.get(name, str(otherwise))
    if not (text.isascii() and text.isdigit() and int(text) <= highest):
        raise FieldsRefused(fields=[name])
    return int(text)


def form(schema: Schema) -> dict[str, Any]:
    """The body as a schema wants it. Refuses `FieldsRefused`."""
    try:
        loaded = schema.load(parsed(request.get_data()))
    except ValidationError as wrong:
        raise FieldsRefused(fields=sorted(str(name) for name in wrong.messages_dict)) from wrong
    assert isinstance(loaded, dict)
    return loaded


def _storable(text: str) -> None:
    if UNSTORABLE.search(text):
        raise ValidationError("unstorable")


def _moment(value: Any) -> datetime:
    try:
        return reports.read_time(value)
    except reports.Unreadable as wrong:
        raise ValidationError(wrong.code) from wrong


def _words(longest: int, **how: Any) -> fields.String:
    return fields.String(validate=[validate.Length(max=longest), _storable], **how)


def _count(**how: Any) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(0, HIGHEST), **how)


class HeartbeatSchema(Schema):
    """`mode` is online or offline; `queue_len` counts events not yet acknowledged."""

    class Meta:
        unknown = EXCLUDE

    device_time = fields.Function(deserialize=_moment, required=True)
    list_version = _count(required=True)
    list_sha256 = _words(64, required=True)
    queue_length = _count(required=True, data_key="queue_len")
    last_seq = _count(required=True)
    mode = fields.String(required=True, validate=validate.OneOf(["online", "offline"]))
    barrier = _words(32, load_default="unknown")
    firmware = _words(64, load_default="", data_key="fw")


class AcknowledgementSchema(Schema):
    """What the gate holds after applying a whitelist answer."""

    class Meta:
        unknown = EXCLUDE

    version = _count(required=True)
    sha256 = _words(64, required=True)


class ResultSchema(Schema):
    """What became of one command."""

    class Meta:
        unknown = EXCLUDE

    status = fields.String(required=True, validate=validate.OneOf(["done", "failed", "expired", "unknown"]))
    detail = _words(200, load_default="")
