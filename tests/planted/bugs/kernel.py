"""What must never pass of connections and jobs."""

from collections.abc import Sequence
from typing import Final

from tests.planted.bug import Bug

BUGS: Final[Sequence[Bug]] = [
    Bug(
        "kill unheard: whoever is killed while the pool looks at a connection lives on",
        "app/kernel/pool.py",
        '            answer_to(b"", connection)\n',
        "            engine.dialect.do_ping(connection)\n",
        ["tests/kernel/test_hub.py"],
    ),
    Bug(
        "ending lost: a job whose end the database did not take down is in hand for as long as its worker lives",
        "app/jobs/register.py",
        "                self._stop()\n            raise\n",
        "            raise\n",
        ["tests/jobs/test_register.py"],
    ),
    Bug(
        "ending refused: a job whose end the database refused to take down counts as ended by somebody else",
        "app/jobs/register.py",
        "            if not is_not_in_hand(failure):\n",
        "            if failure.__cause__ is None:\n",
        ["tests/jobs/test_register.py"],
    ),
    Bug(
        "heart stopped: a worker one of whose heartbeats failed works on, and its jobs are given to others",
        "app/jobs/register.py",
        '            log.exception("heartbeat_missed")\n',
        "            raise\n",
        ["tests/jobs/test_register.py"],
    ),
    Bug(
        "hung job: a worker whose handlers all hang is alive and takes no job any more",
        "app/jobs/worker.py",
        "        with no_longer_than(JOB_SECONDS, job=name), flask_app.app_context():\n",
        "        with flask_app.app_context():\n",
        ["tests/jobs/test_watchdog.py"],
    ),
    Bug(
        "hung stop: a worker that is to stop waits for ever for a handler that hangs",
        "app/jobs/worker.py",
        '        self._ending.enter_context(no_longer_than(STOP_SECONDS, process="worker"))\n',
        "",
        ["tests/jobs/test_watchdog.py"],
    ),
    Bug(
        "hung sweep: all sweepers stand still behind one that hangs",
        "app/jobs/sweepers.py",
        "    with no_longer_than(sweeper.within, sweeper=sweeper.name), flask_app.app_context():\n",
        "    with flask_app.app_context():\n",
        ["tests/jobs/test_watchdog.py"],
    ),
    Bug(
        "deadly job: a job that its workers die of is given back for ever",
        "app/jobs/rescue.py",
        "    if job.attempts < ATTEMPTS:\n",
        "    if job.attempts >= 0:\n",
        ["tests/jobs/test_rescue.py"],
    ),
]
