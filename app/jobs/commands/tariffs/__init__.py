"""`tariff`: prices as files and in pipes, without a database, an account or settings; one file a verb."""

from app.jobs.commands.door import noun
from app.jobs.commands.tariffs.chart import chart
from app.jobs.commands.tariffs.check import check
from app.jobs.commands.tariffs.prove import prove
from app.jobs.commands.tariffs.quote import quote

tariff = noun(
    "Tariffs (收费标准) as files: what they cost, whether they make sense, and whether they hold under the cap.",
    "tariff quote < stays.jsonl",
    "tariff check tariffs.json",
    "tariff prove own.json --against road.json --against hospital.json",
    "tariff chart own.json --against road.json --entry '2026-06-01 18:00' -o fee.svg",
)
for verb in (quote, check, prove, chart):
    tariff.add_command(verb)
