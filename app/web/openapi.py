"""The API's description, made from the routes themselves, as JSON and as a page without foreign scripts."""

import re
from collections.abc import Iterator
from typing import Any

import marshmallow as ma
from flask import Blueprint, Flask, Response, current_app, jsonify, render_template
from flask_smorest import Api  # type: ignore[import-untyped]

from app.web.once import HEADER, happens_once
from app.web.policy import PUBLIC, admits, policy_of

VERSION = "1.0.0"
blueprint = Blueprint("documentation", __name__, template_folder="templates", static_folder=None)


class Refused(ma.Schema):
    """What every refusal and failure looks like."""

    code = ma.fields.String(required=True, metadata={"description": "稳定的错误代码", "example": "bay_taken"})
    message = ma.fields.String(required=True, metadata={"description": "可直接展示给用户的中文说明"})
    details = ma.fields.Dict(required=True, metadata={"description": "补充信息"})
    request_id = ma.fields.String(required=True, metadata={"description": "请求编号，供客服查询"})


class DescribedApi(Api):  # type: ignore[misc]
    """flask-smorest's registry; errors are answered by `app.web.errors` and only described here."""

    ERROR_SCHEMA = Refused

    def _register_error_handlers(self) -> None:
        """Leave errors to `app.web.errors`."""

    def _register_pagination_header(self) -> None:
        """Leave it out: pages here are followed by a cursor in the body."""


def attach(app: Flask) -> DescribedApi:
    """Give the app its description; smorest blueprints register with what is returned."""
    app.config.update(
        API_TITLE="共泊开放平台接口",
        API_VERSION=VERSION,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=None,
        API_SPEC_OPTIONS={"info": {"description": _ABOUT}, "servers": [{"url": "/", "description": "本服务"}]},
    )
    api = DescribedApi(app)
    for name, scheme in _SCHEMES.items():
        api.spec.components.security_scheme(name, scheme)
    app.register_blueprint(blueprint)
    return api


def description(app: Flask) -> dict[str, Any]:
    """The OpenAPI document, completed with what policies and idempotency say about each operation."""
    document: dict[str, Any] = _api(app).spec.to_dict()
    for operation, endpoint in _operations(app, document):
        view = app.view_functions[endpoint]
        policy = policy_of(view)
        operation["operationId"] = endpoint.replace(".", "_")
        operation["security"] = [{policy.name: []}] if policy is not None and policy.name in _SCHEMES else []
        if happens_once(view):
            operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
    return document


_ABOUT = (
    "杭州机关、事业单位、国有企业停车场共享开放平台。金额均为整数分；时刻为带时区的 ISO 8601；时段含起点、不含终点；"
    "每个 POST 须带 Idempotency-Key；拒绝与失败一律为 {code, message, details, request_id}。"
)
_SCHEMES = {
    "motorist": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "partner": {
        "type": "apiKey", "in": "header", "name": "X-Signature",
        "description": "HMAC-SHA256 签名；另需 X-Partner-Id、X-Key-Id 等请求头，见接入说明",
    },
}  # fmt: skip
"""How callers of the described doors show who they are, by the name of their policy."""

_IDEMPOTENCY_KEY = {
    "in": "header",
    "name": HEADER,
    "required": True,
    "description": "由客户端在发送前生成并保存；重试时重复使用",
    "schema": {"type": "string", "minLength": 8, "maxLength": 128, "pattern": "^[A-Za-z0-9._:-]+$"},
}


_PARAMETER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
"""`<uuid:key>` as Flask writes it."""


def _api(app: Flask) -> Api:
    return app.extensions["flask-smorest"]["apis"][""]["ext_obj"]


def _operations(app: Flask, document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Each described operation with the endpoint that serves it."""
    for rule in app.url_map.iter_rules():
        path = document["paths"].get(_PARAMETER.sub(r"{\1}", rule.rule), {})
        for method in rule.methods or ():
            if method.lower() in path:
                yield path[method.lower()], rule.endpoint


@blueprint.get("/openapi.json")
@admits(PUBLIC)
def openapi_json() -> Response:
    """The description for programs."""
    return jsonify(description(current_app))


@blueprint.get("/docs")
@admits(PUBLIC)
def page() -> str:
    """The description for people."""
    return render_template("api.html", document=description(current_app))


@blueprint.get("/docs/style.css")
@admits(PUBLIC)
def style() -> Response:
    """The page's style, from our own host as the content policy wants."""
    return Response(render_template("api.css"), mimetype="text/css")
