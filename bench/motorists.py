"""Who acts in which measurement: nobody reserves twice, so no limit that counts a motorist's acts is met."""

from typing import Final

from bench.city import FIRST, MOTORISTS

_FIRST: Final = FIRST["motorist"]
SEARCHERS: Final = range(_FIRST, _FIRST + 3_000)
GUESTS: Final = range(SEARCHERS.stop, SEARCHERS.stop + 4_000)
"""They reserve over HTTP."""
RIVALS: Final = range(GUESTS.stop, GUESTS.stop + 8_000)
"""They try over HTTP to reserve what others want too."""
CALLERS: Final = range(RIVALS.stop, RIVALS.stop + 10_000)
"""They reserve by calling the action."""
RECORDED: Final = CALLERS.stop
"""Their reservation becomes the script."""
SCRIPTED: Final = range(RECORDED + 1, _FIRST + MOTORISTS)
"""They reserve in pgbench."""
