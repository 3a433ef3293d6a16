"""What a process must be told before it may start: read once from the environment, checked as a whole.

`docs/api.md` and `.env.example` tell what each name is for. Production refuses everything that is only good for
development: keys marked `development`, vendors on this machine, a movable clock.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import urljoin, urlsplit

from app.adapters.mail import MailAccount, is_address
from app.adapters.mail.client import Security
from app.adapters.outbound import Network, is_this_machine

ENVIRONMENTS = ("development", "test", "production")
DEVELOPMENT_MARK = "development"
"""Key ids and secrets that begin so (hexadecimal keys: as bytes) never start in production."""
SIMULATOR_FILE = "wechat.env"
"""The simulator leaves this file beside the keys that it makes; their ids look like real ones."""
CITY_SIMULATOR_FILE = "city.env"
"""The same, of the stand-in for the city's system."""
MAIL_SIMULATOR_FILE = "mail.env"
"""The same, of the stand-in mail server."""

OPEN_DATA_PUBLISHER = "hangzhou-shared-parking"
OPEN_DATA_LICENCE = "许可条款待数据主管部门公布；公布之前请注明来源使用"
"""Until the city says otherwise; `docs/open-data.md`."""

T = TypeVar("T")


class SettingsRefused(Exception):
    """The environment is not fit to start with; one line for each problem."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class WeChatSettings:
    """How the mini-program (小程序) and the service provider's merchant account (服务商) are reached."""

    app_id: str
    app_secret: str = field(repr=False)
    api_url: str
    pay_urls: tuple[str, ...]
    sp_mchid: str
    merchant_serial: str
    merchant_key_file: Path
    apiv3_key: str = field(repr=False)
    public_keys: Mapping[str, Path]
    notify_url: str

    @property
    def refund_notify_url(self) -> str:
        """Where WeChat reports refunds: beside the door at which it reports payments."""
        return urljoin(self.notify_url, "refunds")


@dataclass(frozen=True)
class CitySettings:
    """How the city's own parking system (全市停车信息统一系统) is reached; docs/city-feed.md."""

    url: str
    access_id: str = field(repr=False)
    public_key_file: Path
    private_key_file: Path
    sign_hash: str
    body: str


@dataclass(frozen=True)
class PlatformSettings:
    """How a platform of receipts is reached (docs/receipts.md); with `http` it is a stand-in's."""

    url: str
    app_id: str
    key: bytes = field(repr=False)


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
        read = _Reader(environ)
        settings = cls(
            environment=read.value("ENVIRONMENT", _environment, ""),
            database_url=read.value("DATABASE_URL", _database_url, ""),
            redis_url=read.value("REDIS_URL", _redis_url, ""),
            clock_file=read.optional("CLOCK_FILE", Path),
            field_keys=read.value("FIELD_KEYS", _named_keys, {}),
            index_key=read.value("INDEX_KEY", _key, b""),
            jwt_keys=read.value("JWT_KEYS", _named_keys, {}),
            wechat=_wechat(read),
            city=_city(read),
            audit_anchors=read.optional("AUDIT_ANCHORS", _folders) or (),
            fiscal=_platform(read, "FISCAL"),
            fiscal_city_region=read.optional("FISCAL_CITY_REGION", _region),
            tax=_platform(read, "TAX"),
            mail=_mail(read),
            gate_poll_seconds=read.optional("GATE_POLL_SECONDS", _poll_seconds) or 20,
            outbound_networks=read.optional("OUTBOUND_NETWORKS", _networks) or (),
            trusted_proxies=read.optional("TRUSTED_PROXIES", _proxies) or 0,
            open_data_publisher=read.optional("OPEN_DATA_PUBLISHER", _text) or OPEN_DATA_PUBLISHER,
            open_data_licence=read.optional("OPEN_DATA_LICENCE", _text) or OPEN_DATA_LICENCE,
        )
        if settings.is_production:
            read.problems.extend(_unfit_for_production(settings, environ))
        if read.problems:
            raise SettingsRefused(read.problems)
        return settings


def _wechat(read: "_Reader") -> WeChatSettings:
    return WeChatSettings(
        app_id=read.value("WECHAT_APP_ID", _text, ""),
        app_secret=read.value("WECHAT_APP_SECRET", _text, ""),
        api_url=read.value("WECHAT_API_URL", _url, ""),
        pay_urls=read.value("WECHAT_PAY_URLS", _urls, ()),
        sp_mchid=read.value("WECHAT_SP_MCHID", _digits, ""),
        merchant_serial=read.value("WECHAT_MERCHANT_SERIAL", _text, ""),
        merchant_key_file=read.value("WECHAT_MERCHANT_KEY_FILE", _file, Path()),
        apiv3_key=read.value("WECHAT_APIV3_KEY", _apiv3_key, ""),
        public_keys=read.value("WECHAT_PUBLIC_KEYS", _key_files, {}),
        notify_url=read.value("WECHAT_NOTIFY_URL", _url, ""),
    )


CITY_NAMES = (
    *("CITY_URL", "CITY_ACCESS_ID", "CITY_PUBLIC_KEY_FILE", "CITY_PRIVATE_KEY_FILE"),
    *("CITY_SIGN_HASH", "CITY_BODY"),
)


def _city(read: "_Reader") -> CitySettings | None:
    """All of it or nothing: with none of the names the city's system is told nothing."""
    if not any(read.environ.get(name, "").strip() for name in CITY_NAMES):
        return None
    return CitySettings(
        url=read.value("CITY_URL", _url, ""),
        access_id=read.value("CITY_ACCESS_ID", _text, ""),
        public_key_file=read.value("CITY_PUBLIC_KEY_FILE", _file, Path()),
        private_key_file=read.value("CITY_PRIVATE_KEY_FILE", _file, Path()),
        sign_hash=read.optional("CITY_SIGN_HASH", _one_of("sha256", "sha1", "md5")) or "sha256",
        body=read.optional("CITY_BODY", _one_of("form", "json")) or "form",
    )


def _platform(read: "_Reader", name: str) -> PlatformSettings | None:
    """All of it or nothing, as of the city's system."""
    names = (f"{name}_URL", f"{name}_APP_ID", f"{name}_KEY")
    if not any(read.environ.get(each, "").strip() for each in names):
        return None
    return PlatformSettings(
        url=read.value(names[0], _url, ""), app_id=read.value(names[1], _text, ""), key=read.value(names[2], _key, b"")
    )


def _region(text: str) -> str:
    if not re.fullmatch(r"[0-9]{6}", text):
        raise ValueError("a region's code has six digits")
    return text


MAIL_NAMES = (
    *("SMTP_HOST", "SMTP_PORT", "SMTP_SECURITY", "SMTP_FROM"),
    *("SMTP_USER", "SMTP_PASSWORD", "SMTP_CA_FILE"),
)
MAIL_PORTS = {"starttls": 587, "tls": 465}
"""Where submission listens (RFC 6409, RFC 8314)."""


def _mail(read: "_Reader") -> MailAccount | None:
    """Host and sender at least, or nothing: without them receipts are not sent by e-mail."""
    if not any(read.environ.get(name, "").strip() for name in MAIL_NAMES):
        return None
    security = read.optional("SMTP_SECURITY", _one_of(*MAIL_PORTS)) or "starttls"
    user, password = read.optional("SMTP_USER", _text) or "", read.optional("SMTP_PASSWORD", _text) or ""
    if bool(user) != bool(password):
        read.problems.append("SMTP_USER and SMTP_PASSWORD are set together or not at all")
    return MailAccount(
        host=read.value("SMTP_HOST", _host, ""),
        port=read.optional("SMTP_PORT", _port) or MAIL_PORTS[security],
        security=cast("Security", security),
        sender=read.value("SMTP_FROM", _address, ""),
        user=user,
        password=password,
        ca_file=read.optional("SMTP_CA_FILE", _file),
    )


class _Reader:
    """Reads one name after the other and remembers what was wrong instead of stopping at the first."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def value(self, name: str, parse: Callable[[str], T], otherwise: T) -> T:
        """The parsed value; `otherwise` stands in until the problems are told."""
        text = self.environ.get(name, "").strip()
        if not text:
            self.problems.append(f"{name} is missing")
            return otherwise
        try:
            return parse(text)
        except ValueError as wrong:
            self.problems.append(f"{name} {wrong}")
            return otherwise

    def optional(self, name: str, parse: Callable[[str], T]) -> T | None:
        """The parsed value, or None when nothing is said."""
        return self.value(name, parse, None) if self.environ.get(name, "").strip() else None


def _text(text: str) -> str:
    return text


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text

    return parse


def _environment(text: str) -> str:
    if text not in ENVIRONMENTS:
        raise ValueError(f"must be one of {', '.join(ENVIRONMENTS)}")
    return text


def _database_url(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in {"postgresql", "postgresql+psycopg"}:
        raise ValueError("must begin with postgresql+psycopg://")
    return f"postgresql+psycopg://{rest}"


def _redis_url(text: str) -> str:
    if urlsplit(text).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a list of http(s) addresses" if "," in text else "must be an http(s) address")
    if parts.query or parts.fragment:
        raise ValueError("must be an address without query or fragment")
    return text.rstrip("/")


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:-]+", text) or (":" in text and not _is_ip_address(text)):
        raise ValueError("must be a host's name or address, without scheme and port")
    return text


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdigit() else 0
    if not 0 < port < 65536:  # noqa: PLR2004 - ports have 16 bits
        raise ValueError("must be a port")
    return port


def _address(text: str) -> str:
    if not is_address(text):
        raise ValueError("must be an e-mail address")
    return text


def _urls(text: str) -> tuple[str, ...]:
    return tuple(_url(part.strip()) for part in text.split(",") if part.strip())


def _digits(text: str) -> str:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("must consist of digits")
    return text


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:  # noqa: PLR2004 - AES-256 and HMAC-SHA256 keys
        raise ValueError("must be 64 hexadecimal digits (32 bytes)")
    if len(set(key)) == 1:
        raise ValueError("must be random, not one byte repeated")
    return key


def _named_keys(text: str) -> Mapping[str, bytes]:
    keys: dict[str, bytes] = {}
    for part in text.split(","):
        name, _, value = (word.strip() for word in part.partition(":"))
        if not name or not value or name in keys:
            raise ValueError("must be a list of id:key, each id once")
        keys[name] = _key(value)
    return keys


def _apiv3_key(text: str) -> str:
    if len(text.encode()) != 32:  # noqa: PLR2004 - WeChat Pay v3: APIv3 密钥
        raise ValueError("must be 32 characters")
    return text


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ValueError("names a file that is not there")
    return path


def _folders(text: str) -> tuple[Path, ...]:
    folders = tuple(Path(part.strip()) for part in text.split(",") if part.strip())
    if not all(folder.is_absolute() for folder in folders) or len(set(folders)) != len(folders):
        raise ValueError("must be a list of folders from the root on, each once")
    return folders


def _key_files(text: str) -> Mapping[str, Path]:
    files: dict[str, Path] = {}
    for part in text.split(","):
        serial, _, path = (word.strip() for word in part.partition("="))
        if not serial or not path or serial in files:
            raise ValueError("must be a list of serial=file, each serial once")
        files[serial] = _file(path)
    return files


def _poll_seconds(text: str) -> int:
    seconds = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= seconds <= 25:  # noqa: PLR2004 - cameras give up after 30 s, gunicorn after 25 s of silence
        raise ValueError("must be between 1 and 25")
    return seconds


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError:
        raise ValueError("must be a list of networks such as 10.1.0.0/16") from None


def _proxies(text: str) -> int:
    """How many proxies of ours stand in front, each adding one X-Forwarded-For."""
    if text not in {"0", "1", "2"}:
        raise ValueError("must be 0, 1 or 2")
    return int(text)


def _unfit_for_production(settings: Settings, environ: Mapping[str, str]) -> list[str]:
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


def _unsafe_addresses(settings: Settings) -> list[str]:
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
