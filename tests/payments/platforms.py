"""The stand-ins for the platforms of receipts as tests see them: processes, their side doors, and clients of ours."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from app.adapters.outbound import Reach
from app.adapters.receipts import Account, FiscalBills, TaxInvoices
from app.kernel import clock
from app.wiring import outside_transactions
from launcher.ports import free_ports, is_taken
from launcher.processes import await_that
from payments.receipts.actions.issue import Platforms

ROOT = Path(__file__).resolve().parents[2]
KEY = "5a" + "7e" * 31


@dataclass
class PlatformStand:
    """One running stand-in."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def account(self) -> Account:
        return Account(self.url, "development", bytes.fromhex(KEY))

    def control(self, method: str, path: str, **wish: Any) -> dict[str, Any]:
        response = self.session.request(method, f"{self.url}/control/{path}", json=wish or None, timeout=10)
        assert response.status_code == 200, response.text
        told: dict[str, Any] = response.json()
        return told

    def fail(self, kind: str, operation: str = "", times: int = 1, code: str = "") -> None:
        self.control("POST", "faults", kind=kind, operation=operation, times=times, code=code)

    def recover(self) -> None:
        self.control("DELETE", "faults")

    def papers(self, payee_code: str) -> list[dict[str, Any]]:
        """What was issued for one collecting unit or seller, in order."""
        issued: list[dict[str, Any]] = self.control("GET", "book")["papers"]
        names = ("enterCode", "seller_tax_number")
        return [each for each in issued if payee_code in [each["asked"].get(name) for name in names]]


@dataclass(frozen=True)
class Stands:
    """Both of them."""

    fiscal: PlatformStand
    tax: PlatformStand

    @property
    def clients(self) -> Platforms:
        reach = Reach(loopback=True)
        return {
            "fiscal_ebill": outside_transactions(FiscalBills(self.fiscal.account, clock.now, reach, "330100")),
            "tax_invoice": outside_transactions(TaxInvoices(self.tax.account, clock.now, reach)),
        }

    def calm(self) -> None:
        for each in (self.fiscal, self.tax):
            each.recover()
        self.tax.control("POST", "switches", seconds=0)


@contextmanager
def standing(clock_file: str) -> Iterator[Stands]:
    """Both stand-ins, until the block ends."""
    ports = free_ports(2)
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", f"simulators.{name}", "--port", str(port), "--key", KEY, "--clock-file", clock_file],
            cwd=ROOT, stdout=subprocess.DEVNULL,
        )
        for name, port in zip(("fiscal", "tax"), ports, strict=True)
    ]  # fmt: skip
    try:
        assert await_that(lambda: all(map(is_taken, ports)), 50), "the stand-ins do not listen"
        yield Stands(*(PlatformStand(f"http://127.0.0.1:{port}") for port in ports))
    finally:
        for process in processes:
            process.terminate()
            process.wait(10)
