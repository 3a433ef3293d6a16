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
        "                    self._worker.stop()  # type: ignore[no-untyped-call]\n",
        "                    return\n",
        ["tests/jobs/test_register.py"],
    ),
    Bug(
        "ending refused: a job whose end the database refused to take down counts as ended by somebody else",
        "app/jobs/register.py",
        "            if not isinstance(failure.__cause__, RaiseException):\n",
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
]
