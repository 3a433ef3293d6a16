"""What is only good for development: production refuses it, in words that name it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.adapters.mail import MailAccount
from app.adapters.outbound import is_this_machine
from app.settings.parts import CitySettings

if TYPE_CHECKING:
    from app.settings import Settings

DEVELOPMENT_MARK = "development"
"""Key ids and secrets that begin so (hexadecimal keys: as bytes) never start in production."""
SIMULATOR_FILE = "wechat.env"
"""The simulator leaves this file beside the keys that it makes; their ids look like real ones."""
CITY_SIMULATOR_FILE = "city.env"
"""The same, of the stand-in for the city's system."""
MAIL_SIMULATOR_FILE = "mail.env"
"""The same, of the stand-in mail server."""


def unfit(settings: "Settings", environ: Mapping[str, str]) -> list[str]:
    """Everything that is only good for development, in words that name it."""
    checks = {
        "CLOCK_FILE must not be set: the clock does not move in production": settings.clock_file is not None,
        "FAULT_PLAN must not be set: it kills processes": bool(environ.get("FAULT_PLAN")),
        "AUDIT_ANCHORS is missing: nothing outside of the database would vouch for the audit log": (
            not settings.audit_anchors
        ),
        "FIELD_KEYS holds a development key": _any_marked(settings.field_keys),
        "INDEX_KEY is a development key": _is_marked(settings.index_key),
        "JWT_KEYS holds a development key": _any_marked(settings.jwt_keys),
        "WECHAT_APP_SECRET is a development secret": _is_marked(settings.wechat.app_secret.encode()),
        "WECHAT_APIV3_KEY is a development key": _is_marked(settings.wechat.apiv3_key.encode()),
        "WECHAT_PUBLIC_KEYS holds a key of the simulator": _any_simulated(settings.wechat.public_keys),
        "FISCAL_KEY is a development key": settings.fiscal is not None and _is_marked(settings.fiscal.key),
        "TAX_KEY is a development key": settings.tax is not None and _is_marked(settings.tax.key),
        "CITY_PUBLIC_KEY_FILE is a key of the simulator": _is_simulated_city(settings.city),
        "SMTP_PASSWORD is a development secret": (
            settings.mail is not None and _is_marked(settings.mail.password.encode())
        ),
        "SMTP_CA_FILE is the authority of the simulator": _is_simulated_mail(settings.mail),
        "SMTP_HOST must not point at this machine in production": (
            settings.mail is not None and is_this_machine(settings.mail.host)
        ),
    }
    return [problem for problem, is_so in checks.items() if is_so] + _unsafe_addresses(settings)


def _is_marked(secret: bytes) -> bool:
    return secret.lower().startswith(DEVELOPMENT_MARK.encode())


def _any_marked(keys: Mapping[str, bytes]) -> bool:
    return any(_is_marked(name.encode()) or _is_marked(key) for name, key in keys.items())


def _any_simulated(keys: Mapping[str, Path]) -> bool:
    return any(path.with_name(SIMULATOR_FILE).exists() for path in keys.values())


def _is_simulated_city(city: CitySettings | None) -> bool:
    return city is not None and city.public_key_file.with_name(CITY_SIMULATOR_FILE).exists()


def _is_simulated_mail(mail: MailAccount | None) -> bool:
    return mail is not None and mail.ca_file is not None and mail.ca_file.with_name(MAIL_SIMULATOR_FILE).exists()


def _unsafe_addresses(settings: "Settings") -> list[str]:
    wechat = settings.wechat
    addresses = {
        "WECHAT_API_URL": (wechat.api_url,),
        "WECHAT_PAY_URLS": wechat.pay_urls,
        "WECHAT_NOTIFY_URL": (wechat.notify_url,),
        "CITY_URL": (settings.city.url,) if settings.city else (),
        "FISCAL_URL": (settings.fiscal.url,) if settings.fiscal else (),
        "TAX_URL": (settings.tax.url,) if settings.tax else (),
    }
    problems = []
    for name, urls in addresses.items():
        if any(url and urlsplit(url).scheme != "https" for url in urls):
            problems.append(f"{name} must be https in production")
        if any(is_this_machine(urlsplit(url).hostname or "") for url in urls):
            problems.append(f"{name} must not point at this machine in production")
    return problems
