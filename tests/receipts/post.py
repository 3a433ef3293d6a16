"""The stand-in mail server as tests see it: a process that speaks SMTP, its side door, and clients of ours."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import requests

from app.adapters.mail import MailAccount, MailServer
from app.adapters.mail.client import Security
from app.adapters.outbound import Reach
from launcher.environment import read_environment
from launcher.ports import free_ports, is_taken
from launcher.processes import await_that

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class PostOffice:
    """One running stand-in."""

    url: str
    account: MailAccount
    session: requests.Session = field(default_factory=requests.Session)

    def server(self, **otherwise: Any) -> MailServer:
        """A client, of an account that may be told something else."""
        return MailServer(replace(self.account, **otherwise), Reach(loopback=True))

    @property
    def environment(self) -> Mapping[str, str]:
        """The account as processes are told it."""
        return {
            "SMTP_HOST": self.account.host, "SMTP_PORT": str(self.account.port), "SMTP_FROM": self.account.sender,
            "SMTP_USER": self.account.user, "SMTP_PASSWORD": self.account.password,
            "SMTP_CA_FILE": str(self.account.ca_file),
        }  # fmt: skip

    def ask(self, method: str, path: str, wish: Mapping[str, Any] | None = None) -> dict[str, Any]:
        response = self.session.request(method, f"{self.url}{path}", json=wish, timeout=10)
        assert response.status_code == 200, response.text
        told: dict[str, Any] = response.json()
        return told

    def fail(self, kind: str, stage: str, times: int = 1, code: int = 0, enhanced: str = "5.1.1") -> None:
        wish = {"kind": kind, "stage": stage, "times": times, "code": code, "enhanced": enhanced}
        self.ask("POST", "/control/faults", wish)

    def calm(self) -> None:
        self.ask("DELETE", "/control/faults")
        self.ask("DELETE", "/letters")

    def letters(self) -> list[dict[str, Any]]:
        """What was taken, in order."""
        found: list[dict[str, Any]] = self.ask("GET", "/letters")["letters"]
        return found

    def opened(self, number: int) -> EmailMessage:
        """A letter as a mail program reads it."""
        raw = self.session.get(f"{self.url}/letters/{number}", timeout=10).content
        return message_from_bytes(raw, policy=default)


@contextmanager
def post_office(clock_file: str, folder: Path, security: Security = "starttls") -> Iterator[PostOffice]:
    """A stand-in until the block ends."""
    port, smtp_port = free_ports(2)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "simulators.mail", "--port", str(port), "--smtp-port", str(smtp_port)),
            *("--keys", str(folder), "--clock-file", clock_file, "--security", security),
        ],
        cwd=ROOT, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert await_that(lambda: is_taken(port) and is_taken(smtp_port), 50), "the stand-in does not listen"
        yield PostOffice(f"http://127.0.0.1:{port}", _account(folder, smtp_port, security))
    finally:
        process.terminate()
        process.wait(10)


def _account(folder: Path, port: int, security: Security) -> MailAccount:
    told = read_environment(folder / "mail.env")
    return MailAccount(
        told["SMTP_HOST"], port, security, told["SMTP_FROM"], told["SMTP_USER"], told["SMTP_PASSWORD"],
        Path(told["SMTP_CA_FILE"]),
    )  # fmt: skip
