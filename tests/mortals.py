"""Processes that are meant to die. Each is forked from one that knows the platform: born at once, killed for good."""

import multiprocessing
import os
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerProcess
from unittest.mock import patch

_NURSERY = multiprocessing.get_context("forkserver")
_NURSERY.set_forkserver_preload(["tests.nursery"])


def born(environment: Mapping[str, str], deed: Callable[..., None], *words: object) -> ForkServerProcess:
    """A process of its own that does the deed in this environment, silently."""
    process = _NURSERY.Process(target=_live, args=(dict(environment), deed, words))
    with patch.dict(os.environ, environment):  # the nursery begins with the first of them, and reads settings
        process.start()
    return process


def _live(environment: Mapping[str, str], deed: Callable[..., None], words: tuple[object, ...]) -> None:
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    deed(*words)
