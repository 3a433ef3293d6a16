"""Python's collector of garbage goes through all that a process has imported, again and again: a fifth of its start."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def none_meanwhile() -> Iterator[None]:
    """Around imports: what comes by them stays, so nobody looks for garbage until they are done, or among it later."""
    is_looked_for = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if is_looked_for:
            gc.enable()
