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
        "app/jobs/endings.py",
        "            self._worker.stop()  # type: ignore[no-untyped-call]\n",
        "            return\n",
        ["tests/jobs/test_queue.py"],
    ),
]
