"""What a process must be told before it may start: read once from the environment, checked as a whole.

`docs/api.md` tells what each name is for. `values` are what can be said, `parts` what belongs together; `production`
refuses what is only good for development.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.adapters.mail import MailAccount
from app.adapters.outbound import Network
from app.settings import parts, values
from app.settings.parts import CitySettings, PlatformSettings, WeChatSettings
from app.settings.production import unfit
from app.settings.reader import Reader

__all__ = ["CitySettings", "PlatformSettings", "Settings", "SettingsRefused", "WeChatSettings"]

OPEN_DATA_PUBLISHER = "hangzhou-shared-parking"
OPEN_DATA_LICENCE = "许可条款待数据主管部门公布；公布之前请注明来源使用"
"""Until the city says otherwise; `docs/open-data.md`."""


class SettingsRefused(Exception):
    """The environment is not fit to start with; one line for each problem."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """All settings of a process; secrets do not show in `repr`."""

    environment: str
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    clock_file: Path | None
    field_keys: Mapping[str, bytes] = field(repr=False)
    index_key: bytes = field(repr=False)
    jwt_keys: Mapping[str, bytes] = field(repr=False)
    wechat: WeChatSettings
    city: CitySettings | None
    audit_anchors: tuple[Path, ...]
    """Folders outside of the database that keep the head of the audit log; docs/audit.md."""
    fiscal: PlatformSettings | None
    """The platform of fiscal e-bills; none: they wait."""
    fiscal_city_region: str | None
    """How that platform calls the region of the city's own level; none: bills of its units are not issued."""
    tax: PlatformSettings | None
    """The service of tax invoices; none: they wait."""
    mail: MailAccount | None
    """The server that sends receipts to motorists; none: they cannot ask for it."""
    gate_poll_seconds: int
    outbound_networks: tuple[Network, ...]
    """Private networks in which cameras and the city's system may be called."""
    trusted_proxies: int
    open_data_publisher: str
    open_data_licence: str

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """The settings that `environ` holds; raises `SettingsRefused` with every problem at once."""
        read = Reader(environ)
        settings = cls(
            environment=read.value("ENVIRONMENT", values.environment, ""),
            database_url=read.value("DATABASE_URL", values.database_url, ""),
            redis_url=read.value("REDIS_URL", values.redis_url, ""),
            clock_file=read.optional("CLOCK_FILE", Path),
            field_keys=read.value("FIELD_KEYS", values.named_keys, {}),
            index_key=read.value("INDEX_KEY", values.key, b""),
            jwt_keys=read.value("JWT_KEYS", values.named_keys, {}),
            wechat=parts.wechat(read),
            city=parts.city(read),
            audit_anchors=read.optional("AUDIT_ANCHORS", values.folders) or (),
            fiscal=parts.platform(read, "FISCAL"),
            fiscal_city_region=read.optional("FISCAL_CITY_REGION", values.region),
            tax=parts.platform(read, "TAX"),
            mail=parts.mail(read),
            gate_poll_seconds=read.optional("GATE_POLL_SECONDS", values.poll_seconds) or 20,
            outbound_networks=read.optional("OUTBOUND_NETWORKS", values.networks) or (),
            trusted_proxies=read.optional("TRUSTED_PROXIES", values.proxies) or 0,
            open_data_publisher=read.optional("OPEN_DATA_PUBLISHER", values.plain) or OPEN_DATA_PUBLISHER,
            open_data_licence=read.optional("OPEN_DATA_LICENCE", values.plain) or OPEN_DATA_LICENCE,
        )
        if settings.is_production:
            read.problems.extend(unfit(settings, environ))
        if read.problems:
            raise SettingsRefused(read.problems)
        return settings
