"""`tariff`: prices as files, without a database or an account; one file a verb."""

from app.jobs.commands.door import noun
from app.jobs.commands.tariffs.prove import prove

tariff = noun(
    "Tariffs (收费标准) as files: what they cost, whether they make sense, and whether they hold under the cap.",
    "tariff prove own.json --against road.json --against hospital.json",
)
tariff.add_command(prove)
