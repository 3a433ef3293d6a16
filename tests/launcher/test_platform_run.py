"""What `make run` does beside starting servers: it waits, tells, and lets everybody end in peace."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from honcho import manager

from launcher import gunicorn_conf, platform_run, process_set
from launcher.environment import Ports
from launcher.failure import CannotStart


class _Waking(BaseHTTPRequestHandler):
    """Is not ready the first two times."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(503 if type(self).asked < 3 else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_addresses_are_told_when_somebody_answers_there_and_not_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with HTTPServer(("127.0.0.1", 0), _Waking) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        platform_run._tell_when_ready(Ports(server.server_port, 2, 3, 4, 5, 6, 7, 8, 9, 10), tmp_path)
        server.shutdown()
    assert _Waking.asked == 3
    assert f"http://127.0.0.1:{server.server_port}/docs" in capsys.readouterr().out


def test_a_stop_leaves_the_web_processes_time_for_their_requests(tmp_path: Path) -> None:
    procfile = tmp_path / "Procfile"
    procfile.write_text("short: true\n")
    with pytest.raises(CannotStart, match="ended by itself"):
        process_set.run_processes({}, procfile)
    assert gunicorn_conf.graceful_timeout < manager.KILL_WAIT


def test_counters_of_an_earlier_start_are_gone_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "counter_7.db").touch()
    (tmp_path / "letter").touch()
    platform_run._empty(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]
