"""What the processes of a development machine are told: written once, in keys that production refuses."""

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from launcher.secret_files import write_secret
from launcher.venv import ROOT

MARK = b"development"


@dataclass(frozen=True)
class Ports:
    """Where the processes listen on the loopback address; every one can be named in the environment."""

    web: int
    wechat: int
    gates: int
    city: int
    fiscal: int
    tax: int
    mail: int
    smtp: int
    postgres: int
    valkey: int

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Ports":
        return cls(
            web=int(environ.get("PORT", "8000")),
            wechat=int(environ.get("WECHAT_PORT", "8001")),
            gates=int(environ.get("GATES_PORT", "8002")),
            city=int(environ.get("CITY_PORT", "8003")),
            fiscal=int(environ.get("FISCAL_PORT", "8004")),
            tax=int(environ.get("TAX_PORT", "8005")),
            mail=int(environ.get("MAIL_PORT", "8006")),
            smtp=int(environ.get("SMTP_PORT", "8587")),
            postgres=int(environ.get("PG_PORT", "54329")),
            valkey=int(environ.get("VALKEY_PORT", "63799")),
        )


def development_environment(var: Path, ports: Ports, addresses: Mapping[str, str]) -> dict[str, str]:
    """Everything `app/settings` asks for, kept in `development.env`; what is set outside already wins.

    `addresses` are DATABASE_URL, MIGRATION_DATABASE_URL and REDIS_URL. Keys stay the same over restarts, or stored
    phones and plates could not be read again.
    """
    path = var / "development.env"
    kept = read_environment(path) if path.is_file() else {}
    named = {
        "ENVIRONMENT": "development",
        **_keys(kept),
        **_wechat(var / "wechat", ports),
        **_city(var / "city", ports),
        "AUDIT_ANCHORS": str((var / "anchors").resolve()),
        **_receipts("FISCAL", ports.fiscal, kept),
        "FISCAL_CITY_REGION": "330100",
        **_receipts("TAX", ports.tax, kept),
        **_mail(var / "mail", ports),
        "CLOCK_FILE": str(var / "clock"),
        "PROMETHEUS_MULTIPROC_DIR": str(var / "metrics"),
        "GATES_STATE": str(var / "gates"),
        "GATES_FILE": str(var / "gates.json"),
        "GATES_URL": f"http://127.0.0.1:{ports.gates}",
        "PORT": str(ports.web),
        "WECHAT_PORT": str(ports.wechat),
        "GATES_PORT": str(ports.gates),
        "CITY_PORT": str(ports.city),
        "FISCAL_PORT": str(ports.fiscal),
        "TAX_PORT": str(ports.tax),
        "MAIL_PORT": str(ports.mail),
        "RECEIPTS_BOOKS": str(var),
    }
    environment = {name: os.environ.get(name) or value for name, value in named.items()} | dict(addresses)
    write_secret(path, "".join(f"{name}={value}\n" for name, value in environment.items()))
    return environment


def read_environment(path: Path) -> dict[str, str]:
    """The names and values of a `NAME=value` file."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def development_key() -> str:
    """32 bytes as hexadecimal digits; they begin with a word that production refuses."""
    return (MARK + secrets.token_bytes(32 - len(MARK))).hex()


def _keys(kept: Mapping[str, str]) -> dict[str, str]:
    return {
        "FIELD_KEYS": kept.get("FIELD_KEYS") or f"v1:{development_key()}",
        "INDEX_KEY": kept.get("INDEX_KEY") or development_key(),
        "JWT_KEYS": kept.get("JWT_KEYS") or f"development:{development_key()}",
    }


def _wechat(folder: Path, ports: Ports) -> dict[str, str]:
    """Keys of the stand-in WeChat, made by itself, and where it is found."""
    _make_keys("wechat", folder)
    url = f"http://127.0.0.1:{ports.wechat}"
    return read_environment(folder / "wechat.env") | {
        "WECHAT_API_URL": url,
        "WECHAT_PAY_URLS": url,
        "WECHAT_NOTIFY_URL": f"http://127.0.0.1:{ports.web}/wechat/notices/transactions",
        "WECHAT_KEYS": str(folder),
    }


def _city(folder: Path, ports: Ports) -> dict[str, str]:
    """Keys of the stand-in for the city's own system, made by itself, and where it is found."""
    _make_keys("city", folder)
    return read_environment(folder / "city.env") | {
        "CITY_URL": f"http://127.0.0.1:{ports.city}",
        "CITY_KEYS": str(folder),
    }


def _receipts(name: str, port: int, kept: Mapping[str, str]) -> dict[str, str]:
    """The stand-in of a platform of receipts, and the key that it shares with us."""
    return {
        f"{name}_URL": f"http://127.0.0.1:{port}",
        f"{name}_APP_ID": "development",
        f"{name}_KEY": kept.get(f"{name}_KEY") or development_key(),
    }


def _mail(folder: Path, ports: Ports) -> dict[str, str]:
    """Account and certificates of the stand-in mail server, made by itself, and where it is found."""
    _make_keys("mail", folder)
    return read_environment(folder / "mail.env") | {"SMTP_PORT": str(ports.smtp), "MAIL_KEYS": str(folder)}


def _make_keys(stand_in: str, folder: Path) -> None:
    """Once: a start that finds them waits for nothing."""
    if not (folder / f"{stand_in}.env").is_file():
        command = [sys.executable, "-m", f"simulators.{stand_in}.keys", str(folder)]
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
