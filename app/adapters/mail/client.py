"""Handing letters to our mail server: submission over TLS, never without (RFC 6409, RFC 8314).

Its certificate must be valid and carry the server's name. There is no way to send in the clear, nor to go on when the
server does not offer STARTTLS.
"""

import re
import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from app.adapters.mail.addresses import domain_of
from app.adapters.mail.letter import Letter, on_the_wire
from app.adapters.mail.outcomes import NotNow, Outcome, Refused, Taken
from app.adapters.outbound import OutOfReach, Reach, resolved
from app.kernel.deadline import watch, within

SECONDS: Final = 10.0
"""For each step: to connect, and for each reply."""
ADMISSION_SECONDS: Final = 30.0
LETTER_SECONDS: Final = 60.0
FAREWELL_SECONDS: Final = 3.0
"""For all steps together, however slowly each reply drips."""
OK: Final = 250
WILL_FORWARD: Final = 251
TOO_LARGE: Final = 552
SHUTS_DOWN: Final = 421
FINAL: Final = range(500, 600)
ABOUT_US: Final = frozenset({503, 530, 535})
"""Said at any stage: the order of our commands, that we did not say who we are, that it was not believed (RFC 4954)."""
_POLICY: Final = re.compile(rb"5\.7\.\d{1,3}\b")
"""Security or policy (RFC 3463): we may not relay, or must prove ourselves."""

Security = Literal["starttls", "tls"]


@dataclass(frozen=True)
class MailAccount:
    """Where our mail server is and who we are there. `ca_file` names whom to trust instead of the usual authorities."""

    host: str
    port: int
    security: Security
    sender: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    ca_file: Path | None = None


class MailServer:
    """Speaks with one server, on a new line for each letter. Safe to share between threads."""

    def __init__(self, account: MailAccount, reach: Reach) -> None:
        self._account = account
        self._trust = ssl.create_default_context(cafile=account.ca_file)
        kinds = (smtplib.SMTP_SSL, _Line) if account.security == "tls" else (_Line,)
        self._kind = type("Line", kinds, {"reach": reach})

    def send(self, letter: Letter) -> Outcome:
        """Hand one letter over. Outside transactions; raises nothing that the server or the way to it can cause."""
        raw = on_the_wire(letter, self._account.sender)
        try:
            with within(ADMISSION_SECONDS):
                line = self._admitted()
        except (ssl.SSLCertVerificationError, smtplib.SMTPNotSupportedError, OutOfReach, ValueError):
            # a ValueError: a host or user that cannot be said, or a challenge that is no base64
            return NotNow(None, for_all=True, misconfigured=True)
        except smtplib.SMTPResponseException as said:
            return _about_us(said.smtp_code)
        except (smtplib.SMTPException, OSError):
            return NotNow(None, for_all=True)
        try:
            with within(LETTER_SECONDS):
                watch(_socket_of(line))
                outcome = self._handed(line, letter.to, raw)
            if outcome == Taken():
                _take_leave(line)
        except (smtplib.SMTPException, OSError):
            return NotNow(None, for_all=True)
        else:
            return outcome
        finally:
            line.close()

    def _admitted(self) -> smtplib.SMTP:
        """A line on which the server has proved its name, and we ours. Whatever is wrong is raised, the line shut."""
        account = self._account
        how = {"context": self._trust} if account.security == "tls" else {}
        line: smtplib.SMTP = self._kind(account.host, account.port, domain_of(account.sender), timeout=SECONDS, **how)
        try:
            if account.security == "starttls":
                line.starttls(context=self._trust)
            line.ehlo_or_helo_if_needed()
            if account.user:
                line.login(account.user, account.password)
        except BaseException:
            line.close()
            raise
        return line

    def _handed(self, line: smtplib.SMTP, to: str, raw: bytes) -> Outcome:
        size = [f"SIZE={len(raw)}"] if line.has_extn("size") else []
        code, _ = line.mail(self._account.sender, size)
        if code != OK:
            return Refused(code) if code == TOO_LARGE else _about_us(code)
        code, said = line.rcpt(to)
        if code not in (OK, WILL_FORWARD):
            return _about_it(code, said)
        try:
            code, said = line.data(raw)
        except smtplib.SMTPDataError as refused:
            code, said = refused.smtp_code, _raw(refused.smtp_error)
        if code != OK:
            return _about_it(code, said)
        return Taken()


class _Line(smtplib.SMTP):
    """A line that ends within reach; the certificate must carry the name, whatever address was found for it."""

    reach: Reach

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made = socket.create_connection((resolved(self.reach, host, port), port), timeout)
        watch(made)
        return made


def _socket_of(line: smtplib.SMTP) -> socket.socket:
    """Raises `SMTPServerDisconnected` when there is none any more."""
    if line.sock is None:
        raise smtplib.SMTPServerDisconnected
    return line.sock


def _take_leave(line: smtplib.SMTP) -> None:
    """The server answers for the letter already, however the line ends."""
    with suppress(smtplib.SMTPException, OSError), within(FAREWELL_SECONDS):
        watch(_socket_of(line))
        line.quit()


def _about_us(code: int) -> NotNow:
    """A reply to our coming, our name or our sender: every letter would get it."""
    return NotNow(_known(code), for_all=True, misconfigured=code in FINAL)


def _about_it(code: int, said: bytes) -> Outcome:
    """A reply once an address was named: about it or the letter, unless it tells of us or of the server's own trouble.

    What was said is read for its enhanced code alone, and not kept. A policy (5.7.x) may bar us or this letter alone:
    a person looks, and the other letters go on.
    """
    if code in ABOUT_US:
        return _about_us(code)
    if code in FINAL and _POLICY.match(said):
        return NotNow(code, for_all=False, misconfigured=True)
    return Refused(code) if code in FINAL else NotNow(_known(code), for_all=code == SHUTS_DOWN)


def _raw(said: bytes | str) -> bytes:
    return said if isinstance(said, bytes) else said.encode(errors="replace")


def _known(code: int) -> int | None:
    """The code, if it is one: what is no reply at all reads as -1."""
    return code if code in range(200, 600) else None
