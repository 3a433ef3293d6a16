"""A tariff out of a file: the parameters alone, a record that holds them, or one record of a collection."""

from collections.abc import Mapping
from typing import Any

import click

from app.domain.pricing.rules import InvalidTariff, Tariff
from app.jobs.commands.tariffs.json_lines import NestedTooDeeply, parse_document, sentence
from app.kernel.refusals import Refusal


class TariffFile(click.ParamType[Tariff]):
    """`FILE`, or `FILE:ID` for one record of a collection (`{"tariffs": [{"id": …, "parameters": …}]}`)."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Tariff:
        if isinstance(value, Tariff):
            return value
        path, _, wanted = _split(value)
        try:
            with click.open_file(path, "rb") as file:
                told = parse_document(file.read())
        except OSError as error:
            self.fail(f"无法读取 {path}：{error.strerror}", param, ctx)
        except Refusal as refusal:
            self.fail(f"{path}：{sentence(refusal)}", param, ctx)
        return self._tariff(told, wanted, value, param, ctx)

    def _tariff(
        self, told: Any, wanted: str, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Tariff:  # fmt: skip
        record = _record(told, wanted)
        if record is None:
            self.fail(f"{value} 中没有这个收费标准；若有多个，须写作 FILE.json:ID", param, ctx)
        try:
            return Tariff.load(record)
        except InvalidTariff as refusal:
            self.fail(f"{value}：{refusal.message}（{refusal}）", param, ctx)
        except RecursionError:
            self.fail(f"{value}：{NestedTooDeeply.message}", param, ctx)


def _split(value: str) -> tuple[str, str, str]:
    path, colon, wanted = value.rpartition(":")
    return (path, colon, wanted) if colon and path.endswith(".json") else (value, "", "")


def _record(told: Any, wanted: str) -> Mapping[str, Any] | None:
    if isinstance(told, Mapping) and isinstance(told.get("tariffs"), list):
        found = [each for each in told["tariffs"] if isinstance(each, Mapping) and each.get("id") == wanted]
        told = found[0] if found else None
    if isinstance(told, Mapping):
        parameters = told.get("parameters", told)
        return parameters if isinstance(parameters, Mapping) else None
    return None


TARIFF = TariffFile()
