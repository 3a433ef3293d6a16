"""What must never pass of connections."""

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
]
