"""Questions that come together are asked as one, so that a busy process asks no oftener than it is answered."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Generic, TypeVar

Wish = TypeVar("Wish")
Told = TypeVar("Told")


class Together(Generic[Wish, Told]):
    """Asks for one wish, or for all of those who came while the last question was out.

    Nobody gets an answer to a question that was sent before they came: what is told was true after the call began.
    What fails, fails for all who were asked for.
    """

    def __init__(self, ask: Callable[[Sequence[Wish]], Mapping[Wish, Told]]) -> None:
        """`ask` tells what it knows of some wishes; it leaves out those of which it knows nothing."""
        self._ask = ask
        self._waiting: deque[_Slip[Wish, Told]] = deque()
        self._alone = Lock()

    def ask(self, wish: Wish) -> Told | None:
        """What is told of this wish, `None` when nothing is; raises what the question raises."""
        slip: _Slip[Wish, Told] = _Slip(wish)
        self._waiting.append(slip)
        with self._alone:
            if not slip.is_answered:
                self._let_others_come()
                self._answer([slip, *self._others()])
        if slip.failed is not None:
            raise slip.failed
        return slip.told

    def _let_others_come(self) -> None:
        """Whoever is ready to ask comes along; ends when nobody new came, at the latest when everybody waits."""
        waiting = 0
        while waiting != len(self._waiting):
            waiting = len(self._waiting)
            time.sleep(0)

    def _others(self) -> "Iterator[_Slip[Wish, Told]]":
        while self._waiting:
            yield self._waiting.popleft()

    def _answer(self, slips: "Sequence[_Slip[Wish, Told]]") -> None:
        """Ask for all; whoever asks and is killed meanwhile leaves the others to ask for themselves."""
        try:
            told = self._ask([slip.wish for slip in slips])
        except Exception as failed:  # noqa: BLE001 - raised by everybody who waits for the answer
            for slip in slips:
                slip.is_answered, slip.failed = True, failed
            return
        for slip in slips:
            slip.is_answered, slip.told = True, told.get(slip.wish)


class _Slip(Generic[Wish, Told]):
    """One caller's wish and, once somebody has asked for it, what was told."""

    __slots__ = ("failed", "is_answered", "told", "wish")

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.is_answered = False
        self.told: Told | None = None
        self.failed: Exception | None = None
