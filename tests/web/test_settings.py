import secrets
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.settings import Settings, SettingsRefused
from simulators.mail.keys import MailKeys


@pytest.fixture
def told(environment: Mapping[str, str], tmp_path: Path) -> dict[str, str]:
    """What production is told: keys of its own, real addresses."""
    public = tmp_path / "wechat_public.pem"
    public.write_text("a key")
    real = {
        "ENVIRONMENT": "production",
        "WECHAT_API_URL": "https://api.weixin.qq.com",
        "WECHAT_PAY_URLS": "https://api.mch.weixin.qq.com,https://api2.mch.weixin.qq.com",
        "WECHAT_NOTIFY_URL": "https://parking.example.gov.cn/wechat/notices/transactions",
        "WECHAT_PUBLIC_KEYS": f"PUB_KEY_ID_0114232134912410000000000000={public}",
    }
    keys = {
        "FIELD_KEYS": f"v1:{secrets.token_hex(32)}",
        "INDEX_KEY": secrets.token_hex(32),
        "JWT_KEYS": f"k1:{secrets.token_hex(32)}",
    }
    return {name: value for name, value in {**environment, **real, **keys}.items() if name != "CLOCK_FILE"}


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsRefused) as refused:
        Settings.from_environment(environ)
    return refused.value.problems


def test_production_starts_with_keys_of_its_own(told: dict[str, str]) -> None:
    settings = Settings.from_environment(told)
    assert settings.is_production
    assert settings.wechat.pay_urls == ("https://api.mch.weixin.qq.com", "https://api2.mch.weixin.qq.com")


def test_secrets_do_not_show_when_settings_are_printed(told: dict[str, str]) -> None:
    shown = repr(Settings.from_environment(told))
    for name in ("FIELD_KEYS", "INDEX_KEY", "JWT_KEYS", "WECHAT_APP_SECRET", "WECHAT_APIV3_KEY", "DATABASE_URL"):
        assert told[name] not in shown


def test_everything_that_is_missing_is_named_at_once() -> None:
    missing = problems({})
    assert len(missing) == 16
    assert "WECHAT_APIV3_KEY is missing" in missing


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("ENVIRONMENT", "staging", "ENVIRONMENT must be one of development, test, production"),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL must begin with postgresql+psycopg://"),
        ("REDIS_URL", "127.0.0.1", "REDIS_URL must begin with redis://, rediss:// or unix://"),
        ("FIELD_KEYS", "v1", "FIELD_KEYS must be a list of id:key, each id once"),
        ("FIELD_KEYS", "v1:abc", "FIELD_KEYS must be 64 hexadecimal digits (32 bytes)"),
        ("INDEX_KEY", "00" * 32, "INDEX_KEY must be random, not one byte repeated"),
        ("JWT_KEYS", f"a:{'ab' * 31}", "JWT_KEYS must be 64 hexadecimal digits (32 bytes)"),
        ("WECHAT_APIV3_KEY", "short", "WECHAT_APIV3_KEY must be 32 characters"),
        ("WECHAT_SP_MCHID", "16x", "WECHAT_SP_MCHID must consist of digits"),
        ("WECHAT_MERCHANT_KEY_FILE", "/nowhere", "WECHAT_MERCHANT_KEY_FILE names a file that is not there"),
        ("WECHAT_PUBLIC_KEYS", "serial", "WECHAT_PUBLIC_KEYS must be a list of serial=file, each serial once"),
        ("WECHAT_NOTIFY_URL", "https://x.cn/?a=1", "WECHAT_NOTIFY_URL must be an address without query or fragment"),
        ("GATE_POLL_SECONDS", "60", "GATE_POLL_SECONDS must be between 1 and 25"),
        ("TRUSTED_PROXIES", "all", "TRUSTED_PROXIES must be 0, 1 or 2"),
    ],
)
def test_a_senseless_value_is_refused_by_name(told: dict[str, str], name: str, value: str, problem: str) -> None:
    assert problems({**told, name: value, "ENVIRONMENT": value if name == "ENVIRONMENT" else "test"}) == [problem]


SMTP = {"SMTP_HOST": "smtp.example.gov.cn", "SMTP_FROM": "receipts@example.gov.cn"}


def test_a_mail_server_is_told_wholly_or_not_at_all(told: dict[str, str]) -> None:
    assert Settings.from_environment(told).mail is None
    mail = Settings.from_environment(told | SMTP).mail
    assert mail is not None
    assert (mail.security, mail.port, mail.user, mail.ca_file) == ("starttls", 587, "", None)
    assert Settings.from_environment(told | SMTP | {"SMTP_HOST": "2001:db8::25"}).mail is not None
    tls = Settings.from_environment(told | SMTP | {"SMTP_SECURITY": "tls"}).mail
    assert tls is not None
    assert tls.port == 465
    assert problems(told | {"SMTP_USER": "gongbo"}) == [
        "SMTP_USER and SMTP_PASSWORD are set together or not at all",
        "SMTP_HOST is missing",
        "SMTP_FROM is missing",
    ]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("SMTP_HOST", "smtp://example.cn", "SMTP_HOST must be a host's name or address, without scheme and port"),
        ("SMTP_HOST", "mail.example.cn:587", "SMTP_HOST must be a host's name or address, without scheme and port"),
        ("SMTP_HOST", "192.0.2.7:587", "SMTP_HOST must be a host's name or address, without scheme and port"),
        ("SMTP_PORT", "70000", "SMTP_PORT must be a port"),
        ("SMTP_SECURITY", "none", "SMTP_SECURITY must be one of starttls, tls"),
        ("SMTP_FROM", "共泊 <receipts@example.cn>", "SMTP_FROM must be an e-mail address"),
        ("SMTP_CA_FILE", "/nowhere", "SMTP_CA_FILE names a file that is not there"),
        ("SMTP_HOST", "127.0.0.1", "SMTP_HOST must not point at this machine in production"),
    ],
)
def test_a_senseless_mail_server_is_refused_by_name(told: dict[str, str], name: str, value: str, problem: str) -> None:
    assert problems({**told, **SMTP, name: value}) == [problem]


def test_production_refuses_the_account_of_the_stand_in_mail_server(told: dict[str, str], tmp_path: Path) -> None:
    stand_in = MailKeys.at(tmp_path / "mail").environment()
    assert problems(told | stand_in) == [
        "SMTP_PASSWORD is a development secret",
        "SMTP_CA_FILE is the authority of the simulator",
        "SMTP_HOST must not point at this machine in production",
    ]
    assert stand_in["SMTP_PASSWORD"] not in repr(Settings.from_environment(told | stand_in | {"ENVIRONMENT": "test"}))


MARKED = b"development".hex().ljust(64, "7")
REAL = bytes(range(32)).hex()


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("CLOCK_FILE", "/run/offset", "CLOCK_FILE must not be set: the clock does not move in production"),
        ("FAULT_PLAN", "notice.before_commit", "FAULT_PLAN must not be set: it kills processes"),
        ("FIELD_KEYS", f"development:{REAL}", "FIELD_KEYS holds a development key"),
        ("FIELD_KEYS", f"v1:{MARKED}", "FIELD_KEYS holds a development key"),
        ("INDEX_KEY", MARKED, "INDEX_KEY is a development key"),
        ("JWT_KEYS", f"development-1:{REAL}", "JWT_KEYS holds a development key"),
        ("WECHAT_APP_SECRET", "development-secret", "WECHAT_APP_SECRET is a development secret"),
        ("WECHAT_NOTIFY_URL", "http://parking.example.cn/n", "WECHAT_NOTIFY_URL must be https in production"),
        ("WECHAT_PAY_URLS", "https://127.0.0.1:9", "WECHAT_PAY_URLS must not point at this machine in production"),
        ("WECHAT_API_URL", "https://localhost", "WECHAT_API_URL must not point at this machine in production"),
        ("WECHAT_API_URL", "https://[::1]", "WECHAT_API_URL must not point at this machine in production"),
    ],
)
def test_production_refuses_what_is_only_good_for_development(
    told: dict[str, str], name: str, value: str, problem: str
) -> None:
    assert problems({**told, name: value}) == [problem]


def test_production_refuses_the_keys_of_the_stand_in(told: dict[str, str], environment: Mapping[str, str]) -> None:
    assert problems({**told, "WECHAT_PUBLIC_KEYS": environment["WECHAT_PUBLIC_KEYS"]}) == [
        "WECHAT_PUBLIC_KEYS holds a key of the simulator"
    ]
