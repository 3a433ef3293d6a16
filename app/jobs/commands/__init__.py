"""Commands of the running platform, one noun a file: `flask --app wsgi NOUN VERB ... --as ACCOUNT [--json]`.

    # app/jobs/commands/units.py
    units = noun("Units (开放单位): who opens car-parks.", "units list --as wang")

    @units.command("register")
    @click.argument("name")
    @acting
    def register(by: Actor, name: str) -> Answer:
        \"\"\"Register an opening unit.\"\"\"
        return Note("单位已登记", key=actions.register(by, name).key)

and one line in `NOUNS` below. A noun's module is loaded when it is called for, so that the start of every other
process does not wait for it.
"""

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

import click
from flask import Flask

NOUNS: Final[Mapping[str, tuple[str, str]]] = {
    "worker": ("processes:worker", "Run jobs from the queue until stopped."),
    "sweepers": ("processes:sweepers", "Look for due rows until stopped."),
    "db": ("processes:migrations", "Migrations of the schema (Flask-Migrate)."),
    "ledger": ("ledger:ledger", "The books (账簿) by payee, their closed days, and proofs of both."),
    "sample-city": ("processes:sample_city", "A city to try the platform in."),
    "audit": ("audit:audit", "The audit log (审计日志): seal it, prove it, look into it."),
    "city-feed": ("city_feed:city_feed", "What the city's own parking system is told (全市停车信息统一系统)."),
    "staff": ("staff:staff", "Accounts and roles (工作账号与授权)."),
    "units": ("units:units", "Units (开放单位), their office hours and findings of exception."),
    "operators": ("operators:operators", "Operators (运营单位)."),
    "agreements": ("agreements:agreements", "Operating agreements (委托运营服务协议) and self-operation (自行运营)."),
    "adjustments": ("adjustments:adjustments", "Dynamic adjustment (动态调整): closing, fewer bays, free of charge."),
    "messages": ("messages:messages", "Messages through WeChat (订阅消息)."),
    "reservations": ("reservations:reservations", "Who waits for bays (候补)."),
    "regulars": ("regulars:regulars", "Regular places by the month, drawn by lot (固定泊位)."),
    "tasks": ("tasks:tasks", "What waits for a person (待办)."),
    "calendars": ("calendars:calendars", "Work days and holidays (工作日历)."),
    "partners": ("partners:partners", "Units' and operators' own systems (接入方)."),
    "gates": ("gates:gates", "Gates that speak a vendor's dialect (第三方道闸设备)."),
    "stays": ("stays:stays", "Stays (停车记录) and the passages of which they are made."),
    "payees": ("payees:payees", "Who may collect money (收费主体), and through which WeChat sub-merchant."),
    "refunds": ("refunds:refunds", "Money that goes back to motorists (退款)."),
    "remittance": ("remittance:remittance", "What is due to the treasuries, paid in and receipted (上缴)."),
    "settlements": ("settlements:settlements", "Settlement statements of enterprises (结算单)."),
    "service-fees": ("service_fees:service_fees", "Operators' service fees (运营服务费): terms and statements."),
    "finance": ("finance:finance", "Revenue reports (收入报表), and what the money was used for (资金使用)."),
    "reconciliation": ("reconciliation:reconciliation", "WeChat's bills against our books (对账与日结)."),
    "receipts": ("receipts:receipts", "Bills and invoices (票据), and what they must say."),
    "turn-aways": ("turn_aways:turn_aways", "Cars that were turned away (拒停记录), and motorists' reports of it."),
    "conduct": ("conduct:conduct", "Incidents, measures and appeals (停车信用)."),
    "departures": ("departures:departures", "Cars that do not leave (超时停放): calls and tows."),
    "arrears": ("arrears:arrears", "Unpaid stays (欠费), and leaving before paying (先离场后付费)."),
    "policies": ("policies:policies", "Numbers that the city may change (规则参数)."),
    "prices": ("prices:prices", "Prices of lots (收费标准): draft, proof, publication, references."),
    "reference-lots": ("reference_lots:reference_lots", "Government-priced lots around (参照停车场) and zones."),
    "lots": ("lots:lots", "Lots from draft to withdrawal (停车场库)."),
    "plans": ("plans:plans", "Opening plans (开放方案)."),
    "tariff": ("tariffs:tariff", "Tariffs (收费标准) as files: quotes, checks and proofs of the cap."),
    "import": ("importing:importing", "Bulk import of units and lots (批量导入)."),
}
"""Each command by its first word: where it lies in this package, and what `--help` says of it."""


REFUSE: Final = "gongbo.refuse"
"""Where an app without settings keeps what tells the problem to a file command that needs the platform after all."""

WITHOUT_SETTINGS: Final = frozenset({"tariff"})
"""Commands that work on files alone and need no platform."""


def attach(app: Flask) -> None:
    """Register the commands on the app."""
    for name, (place, told) in NOUNS.items():
        app.cli.add_command(Later(name, place, told))


def without_settings(problem: Exception) -> Flask:
    """An app for the terminal where no settings are fit: file commands work, all others tell the problem."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise problem

    app = Flask(__name__)
    app.before_request(refuse)
    app.extensions[REFUSE] = refuse
    for name, (place, told) in NOUNS.items():
        works = name in WITHOUT_SETTINGS
        app.cli.add_command(Later(name, place, told) if works else Refusing(name, refuse, told))
    return app


class Refusing(click.Command):
    """Stands for a command that cannot be: whatever is asked of it, the answer is what is wrong."""

    def __init__(self, name: str, refuse: Callable[..., NoReturn], told: str) -> None:
        super().__init__(name, help=told)
        self._refuse = refuse

    def make_context(self, *_: Any, **__: Any) -> click.Context:
        self._refuse()


class Later(click.Command):
    """Stands for a command until it is called for."""

    def __init__(self, name: str, place: str, told: str) -> None:
        super().__init__(name, help=told)
        self.place = place

    def make_context(self, info_name: str | None, args: list[str], *others: Any, **more: Any) -> click.Context:
        return self.real().make_context(info_name, args, *others, **more)

    def real(self) -> click.Command:
        """The command itself."""
        module, _, attribute = self.place.partition(":")
        command = getattr(importlib.import_module(f"{__name__}.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command
