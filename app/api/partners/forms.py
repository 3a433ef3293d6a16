"""What partners send and what they are answered. Each record of a batch is read alone."""

import uuid
from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import validate

from app.domain.motorists.plates import ColourScheme, Plate, PlateColour, colour_from, is_unplated, plate_as_seen
from app.domain.partners.actions import CountRecord, Particulars, ToldVisit, VisitRecord
from app.domain.partners.rules import BATCH, Count
from app.kernel.datum import DATUMS, to_gcj02
from app.kernel.refusals import Invalid
from app.web.fields import Choice, Key, Moment, Text, Wish

SMALL_BODY = 16 * 1024
BATCH_BODY = 512 * 1024
HIGHEST = 2**31 - 1
LONGEST_PLATE = 32
_SAID: dict[str, Any] = {"required": "必填", "null": "不能为空", "too_large": "数值过大", "special": "应为数字"}


class DatumMissing(Invalid):
    """A point without the name of its datum is not guessed at."""

    code = "datum_missing"
    message = "坐标必须注明坐标系（datum：WGS-84 或 GCJ-02）"


class Number(ma.fields.Integer):
    """A whole number as JSON has them: no text, no fraction, no truth value."""

    def __init__(self, least: int = -HIGHEST, **words: Any) -> None:
        allowed = validate.Range(least, HIGHEST, error=f"应在 {least} 与 {HIGHEST} 之间")
        super().__init__(strict=True, validate=allowed, error_messages=_SAID | {"invalid": "应为整数"}, **words)

    def _validated(self, value: Any) -> int:
        if not isinstance(value, int):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class Degrees(ma.fields.Float):
    """Latitude or longitude, in the datum that the body names."""

    def __init__(self, most: int, **words: Any) -> None:
        allowed = validate.Range(-most, most, error=f"应在 -{most} 与 {most} 之间")
        super().__init__(validate=allowed, error_messages=_SAID | {"invalid": "应为数字"}, **words)

    def _validated(self, value: Any) -> float:
        if not isinstance(value, int | float):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class Read:
    """One record of a batch: as it came, and as its schema read it, or the fields that are wrong."""

    def __init__(self, schema: ma.Schema, raw: Any) -> None:
        self.raw, self.read, self.wrong_fields = raw, {}, ()  # type: dict[str, Any], dict[str, Any], tuple[str, ...]
        try:
            self.read = schema.load(raw)
        except ma.ValidationError as wrong:
            self.wrong_fields = tuple(sorted(str(name) for name in wrong.messages_dict))

    @property
    def lot(self) -> uuid.UUID | None:
        """The lot that even an unreadable record may name."""
        try:
            return uuid.UUID(self.raw["lot"])
        except (KeyError, TypeError, ValueError, AttributeError):
            return None


class Records(ma.fields.List[Any]):
    """1 to 500 records; a bad one does not spoil the others."""

    def __init__(self, schema: type[ma.Schema]) -> None:
        super().__init__(ma.fields.Nested(schema), required=True, validate=validate.Length(1, BATCH))
        self._schema = schema()

    def _deserialize(self, value: Any, attr: str | None, data: Any, **words: Any) -> list[Any]:  # noqa: ARG002
        if not isinstance(value, list):
            raise self.make_error("invalid")
        return [Read(self._schema, each) for each in value[: BATCH + 1]]


class CountForm(Wish):
    lot = Key(required=True)
    free = Number(required=True, metadata={"description": "空余共享泊位数（绝对值）"})
    total = Number(required=True, metadata={"description": "正在计数的共享泊位总数，不得超过平台登记的共享泊位数"})
    charging_free = Number(allow_none=True, metadata={"description": "空余泊位中带充电设施的数量；不掌握则不填"})
    counted_at = Moment(required=True, metadata={"description": "计数时刻（来源系统时间）"})


class CountBatch(Wish):
    counts = Records(CountForm)


class VisitForm(Wish):
    lot = Key(required=True)
    uid = Text(64, required=True, metadata={"description": "来源系统中该次停车的唯一编号"})
    kind = Choice(("report", "correction", "void"), load_default="report")
    plate = ma.fields.String(
        allow_none=True, validate=validate.Length(0, LONGEST_PLATE), metadata={"description": "号牌；无牌车为 null"}
    )
    plate_color = Choice((*(str(colour) for colour in PlateColour), "unknown"), load_default="unknown")
    entered_at = Moment(metadata={"description": "进场时刻"})
    left_at = Moment(allow_none=True, metadata={"description": "出场时刻；未出场不填"})
    entry_lane = Text(32, allow_none=True)
    exit_lane = Text(32, allow_none=True)
    reason = Text(200, metadata={"description": "更正或作废的原因"})
    told_at = Moment(required=True, metadata={"description": "来源系统写下本条记录的时刻"})

    @ma.validates_schema(skip_on_field_errors=False)
    def _complete(self, told: dict[str, Any], **_: Any) -> None:
        needed = _NEEDED.get(told.get("kind", ""), frozenset())
        unfit = _UNFIT.get(told.get("kind", ""), frozenset())
        wrong = {name: ["必填"] for name in needed - told.keys()} | {name: ["不应填写"] for name in unfit & told.keys()}
        if wrong:
            raise ma.ValidationError(wrong)


_FACTS = frozenset({"plate", "entered_at"})
_NEEDED = {"report": _FACTS, "correction": _FACTS | {"reason"}, "void": frozenset({"reason"})}
_UNFIT = {"report": frozenset({"reason"}), "void": _FACTS | {"left_at", "entry_lane", "exit_lane"}}


class VisitBatch(Wish):
    visits = Records(VisitForm)


class LotForm(Wish):
    """All fields are optional; what is not sent is not spoken of."""

    own_code = Text(64, metadata={"description": "来源系统中的停车场编码，立即生效"})
    name = Text(128)
    address = Text(256)
    datum = Choice(DATUMS, metadata={"description": "坐标系，有坐标时必填"})
    latitude = Degrees(90)
    longitude = Degrees(180)
    total_bays = Number(1)
    total_chargers = Number(0)
    shared_chargers = Number(0)
    height_limit_cm = Number(1, allow_none=True)
    length_limit_cm = Number(1, allow_none=True)

    @ma.validates_schema
    def _whole_point(self, told: dict[str, Any], **_: Any) -> None:
        if ("latitude" in told) != ("longitude" in told):
            raise ma.ValidationError({"latitude": ["经度与纬度须同时填写"]})


class PageForm(Wish):
    after = Key(metadata={"description": "上一页返回的 next"})


class ShownVerdict(ma.Schema):
    index = ma.fields.Integer(required=True, metadata={"description": "记录在批次中的序号，从 0 起"})
    outcome = ma.fields.String(required=True, validate=validate.OneOf(["recorded", "repeated", "refused"]))
    code = ma.fields.String(allow_none=True)
    message = ma.fields.String(allow_none=True)
    details = ma.fields.Dict(allow_none=True)


class ShownVerdicts(ma.Schema):
    recorded = ma.fields.Integer(required=True)
    repeated = ma.fields.Integer(required=True)
    refused = ma.fields.Integer(required=True)
    verdicts = ma.fields.List(ma.fields.Nested(ShownVerdict), required=True)


class ShownDescription(ma.Schema):
    lot = ma.fields.UUID(required=True)
    outcome = ma.fields.String(required=True, validate=validate.OneOf(["unchanged", "proposed"]))
    proposal = ma.fields.UUID(required=True, allow_none=True)
    differing = ma.fields.List(ma.fields.String(), required=True)


class ShownOwnLot(ma.Schema):
    lot = ma.fields.UUID(required=True)
    own_code = ma.fields.String(required=True, allow_none=True)
    name = ma.fields.String(required=True)
    address = ma.fields.String(required=True)
    datum = ma.fields.String(required=True)
    latitude = ma.fields.Float(required=True)
    longitude = ma.fields.Float(required=True)
    state = ma.fields.String(required=True)
    total_bays = ma.fields.Integer(required=True)
    shared_bays = ma.fields.Integer(required=True)
    total_chargers = ma.fields.Integer(required=True)
    shared_chargers = ma.fields.Integer(required=True)
    height_limit_cm = ma.fields.Integer(required=True, allow_none=True)
    length_limit_cm = ma.fields.Integer(required=True, allow_none=True)
    proposal = ma.fields.UUID(required=True, allow_none=True, metadata={"description": "待审核的变更建议"})


class OwnLots(ma.Schema):
    lots = ma.fields.List(ma.fields.Nested(ShownOwnLot), required=True)
    next = ma.fields.UUID(required=True, allow_none=True)


class ShownClock(ma.Schema):
    server_time = ma.fields.AwareDateTime(required=True)


def count_record(read: Read) -> CountRecord:
    """A count as the domain takes it."""
    if not read.read:
        return CountRecord(read.raw, read.lot, None, read.wrong_fields)
    told = {"charging_free": None, **read.read}
    lot = told.pop("lot")
    return CountRecord(read.raw, lot, Count(**told))


def visit_record(read: Read) -> VisitRecord:
    """A visit as the domain takes it; the plate is one as a camera sees it."""
    if not read.read:
        return VisitRecord(read.raw, read.lot, None, read.wrong_fields)
    told = dict(read.read)
    lot, plate = told.pop("lot"), _plate(told.pop("plate", None), told.pop("plate_color"))
    return VisitRecord(read.raw, lot, ToldVisit(plate=plate, **told))


def _plate(raw: str | None, colour: str) -> Plate | None:
    if raw is None or is_unplated(raw):
        return None
    return plate_as_seen(raw, colour_from(ColourScheme.NAMED, colour))


def particulars(told: Mapping[str, Any]) -> Particulars:
    """A description whose point is GCJ-02. Refuses `DatumMissing`."""
    facts = dict(told)
    own_code, datum = facts.pop("own_code", None), facts.pop("datum", None)
    if "latitude" in facts:
        if datum is None:
            raise DatumMissing
        latitude, longitude = to_gcj02(datum, facts["latitude"], facts["longitude"])
        facts |= {"latitude": round(latitude, 6), "longitude": round(longitude, 6)}
    return Particulars(facts, own_code)
