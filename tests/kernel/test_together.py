"""Questions that are asked together: fewer of them, none too early, and a failure is everybody's."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from app.kernel.together import Together

PATIENCE = 10


class Oracle:
    """Answers each number with its double, when it is let; knows nothing of negative ones."""

    def __init__(self) -> None:
        self.asked: list[set[int]] = []
        self.came, self.may = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, wishes: Sequence[int]) -> Mapping[int, int]:
        self.asked.append(set(wishes))
        self.came.release()
        assert self.may.acquire(timeout=PATIENCE)
        if 13 in wishes:
            raise ValueError("an unlucky question")
        return {wish: 2 * wish for wish in wishes if wish >= 0}


@pytest.fixture
def oracle() -> Oracle:
    return Oracle()


@pytest.fixture
def ask(oracle: Oracle) -> Callable[..., list["Future[int | None]"]]:
    """The first wish goes out alone; the others come while its question is out."""
    together, pool = Together(oracle), ThreadPoolExecutor(8)

    def one_and_then(first: int, *others: int) -> list["Future[int | None]"]:
        alone = pool.submit(together.ask, first)
        assert oracle.came.acquire(timeout=PATIENCE)
        rest = [pool.submit(together.ask, other) for other in others]
        while len(together._waiting) < len(others):
            threading.Event().wait(0.001)
        oracle.may.release(2)
        return [alone, *rest]

    return one_and_then


def test_those_who_come_while_a_question_is_out_are_asked_for_in_the_next(
    oracle: Oracle, ask: Callable[..., list["Future[int | None]"]]
) -> None:
    answers = [future.result(PATIENCE) for future in ask(1, 2, 3, 3, -4)]
    assert answers == [2, 4, 6, 6, None]
    assert oracle.asked == [{1}, {2, 3, -4}], "nobody was told what was asked before they came"


def test_a_question_that_fails_fails_for_all_who_were_asked_for_and_for_nobody_else(
    ask: Callable[..., list["Future[int | None]"]],
) -> None:
    early, *others = ask(1, 2, 13)
    assert early.result(PATIENCE) == 2
    assert [type(future.exception(PATIENCE)) for future in others] == [ValueError, ValueError]


def test_who_is_killed_while_asking_leaves_the_others_to_ask_for_themselves() -> None:
    def ask(wishes: Sequence[int]) -> Mapping[int, int]:
        if 1 in wishes:
            raise KeyboardInterrupt
        return {wish: 2 * wish for wish in wishes}

    together = Together(ask)
    with pytest.raises(KeyboardInterrupt):
        together.ask(1)
    assert together.ask(2) == 4
