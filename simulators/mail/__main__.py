"""`python -m simulators.mail --port P --smtp-port P --keys DIR`: serves until SIGTERM or SIGINT."""

import argparse
import os
import signal
from pathlib import Path
from threading import Thread
from types import FrameType

from simulators.clock import Clock
from simulators.mail.control import Control
from simulators.mail.faults import Faults
from simulators.mail.keys import USER, MailKeys
from simulators.mail.mailbox import Mailbox
from simulators.mail.smtp import Office, SmtpDoor, trust_of
from simulators.wire import Door


def main() -> None:
    """Reads the command line and serves both doors."""
    wanted = arguments()
    keys, mailbox, faults, clock = MailKeys.at(wanted.keys), Mailbox(), Faults(), Clock(wanted.clock_file)
    trust = trust_of(keys.certificate)
    office = Office(mailbox, faults, clock, trust, USER, keys.password, wanted.security == "tls")
    smtp = SmtpDoor(wanted.host, wanted.smtp_port, office)
    shown = Door(wanted.host, wanted.port, Control(mailbox, faults, clock).answer)
    print(f"mail stands in on {wanted.host}:{wanted.smtp_port}, letters on port {wanted.port}", flush=True)
    serve(smtp, shown)


def serve(smtp: SmtpDoor, shown: Door) -> None:
    """Returns after a signal."""

    def stop(_: int, __: FrameType | None) -> None:
        Thread(target=shown.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    Thread(target=smtp.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    shown.serve_forever(poll_interval=0.1)
    smtp.shutdown()
    for door in (smtp, shown):
        door.socket.close()


def arguments() -> argparse.Namespace:
    """The command line."""
    clock_file = os.environ.get("CLOCK_FILE")
    parser = argparse.ArgumentParser(prog="python -m simulators.mail", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="where letters are shown and faults planned (HTTP)")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--keys", type=Path, required=True, help="directory of certificates, made when absent")
    parser.add_argument("--security", choices=("starttls", "tls"), default="starttls")
    parser.add_argument("--clock-file", type=Path, default=Path(clock_file) if clock_file else None)
    return parser.parse_args()


if __name__ == "__main__":
    main()
