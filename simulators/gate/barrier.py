"""The arm: closed, opening, open, passing, closing. It passes through every state, however fast."""

from collections.abc import Callable


class Barrier:
    """One arm; `remember` keeps its state through a power cut. `moves` tells what it did since it was asked last."""

    def __init__(self, remember: Callable[[str], None]) -> None:
        self._remember = remember
        self.state = "closed"
        self.kept_open = False
        self._moves: list[str] = []

    def raise_arm(self) -> bool:
        """Up; false when it was up already."""
        if self.state not in {"closed", "closing"}:
            return False
        self._step("opening")
        self._step("open")
        return True

    def let_pass(self) -> None:
        """A car drives through, and the arm falls unless it is kept open."""
        self._step("passing")
        self.lower_arm()

    def lower_arm(self) -> None:
        """Down, unless it is kept open."""
        if self.state == "closed":
            return
        if self.kept_open:
            self._step("open")
            return
        self._step("closing")
        self._step("closed")

    def moves(self) -> list[str]:
        """The states passed through since the last call."""
        moves, self._moves = self._moves, []
        return moves

    def _step(self, state: str) -> None:
        self.state = state
        self._moves.append(state)
        self._remember(state)
