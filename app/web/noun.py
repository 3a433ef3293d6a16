"""One noun of a described door: a blueprint whose decorators read, show and say what may be refused."""

import functools
from collections.abc import Callable
from typing import Any, cast

from flask import request
from flask_smorest import Blueprint  # type: ignore[import-untyped]
from marshmallow import RAISE, Schema
from webargs import missing
from webargs.flaskparser import FlaskParser

from app.web import intake
from app.web.openapi import Refused
from app.web.plain import PlainWish
from app.web.policy import View


class _Parser(FlaskParser):
    """Reads bodies as `intake` does, and refuses unknown query parameters too."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": RAISE}  # noqa: RUF012

    def load_json(self, req: Any, schema: Schema) -> Any:  # noqa: ARG002
        body = req.get_data(cache=True)
        return intake.parsed(body) if body else missing


Decorator = Callable[[View], View]


class Noun(Blueprint):  # type: ignore[misc]
    """A flask-smorest blueprint whose decorators have types."""

    ARGUMENTS_PARSER = _Parser()

    def get(self, rule: str) -> Decorator:
        return cast("Decorator", self.route(rule, methods=["GET"]))

    def post(self, rule: str) -> Decorator:
        return cast("Decorator", self.route(rule, methods=["POST"]))

    def put(self, rule: str) -> Decorator:
        return cast("Decorator", self.route(rule, methods=["PUT"]))

    def delete(self, rule: str) -> Decorator:
        return cast("Decorator", self.route(rule, methods=["DELETE"]))

    def takes(self, wish: type[Schema], location: str = "json") -> Decorator:
        """Read the request as `wish` and hand it to the view."""
        schema = wish()
        read = cast("Decorator", self.arguments(schema, location=location))
        if isinstance(schema, PlainWish) and location == "query":
            return lambda view: _at_once(schema, view, read(view))
        return read

    def gives(self, status: int, shown: type[Schema] | Schema | None = None) -> Decorator:
        """Answer with `status` and what the view returns, as `shown`."""
        return cast("Decorator", self.response(status, shown))

    def tells(self, status: int, shown: type[Schema]) -> Decorator:
        """Describe the answer of a view that writes it itself."""
        return lambda view: _described(view, self.response(status, shown)(view))

    def refuses(self, *statuses: int) -> Decorator:
        """Describe the refusals that the operation may answer with."""

        def describe(view: View) -> View:
            for status in statuses:
                told = self.alt_response(status, schema=Refused, description="拒绝，见 code")
                view = _described(view, told(view))
            return view

        return describe


def _described(view: View, described: View) -> View:
    """The view itself with another's description: what only describes need not be passed through by every request."""
    vars(view)["_apidoc"] = vars(described)["_apidoc"]
    return view


def _at_once(schema: PlainWish, view: View, careful: View) -> View:
    """The view, which gets a plain wish at once; any other is read carefully."""

    @functools.wraps(careful)
    def quick(**words: Any) -> Any:
        wish = schema.at_once(request.args.to_dict())
        return careful(**words) if wish is None else view(wish, **words)

    return quick
