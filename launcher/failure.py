"""What an operator reads when something cannot start."""

from pathlib import Path

LOG_TAIL = 2000


class CannotStart(Exception):
    """One plain sentence; for a server that would not start also the end of its log."""


def with_log(sentence: str, said: str, log: Path) -> CannotStart:
    """The sentence, what the tool said, and the last 2,000 characters of the server's own log."""
    tail = log.read_text(errors="replace")[-LOG_TAIL:] if log.is_file() else ""
    return CannotStart("\n".join(part for part in (sentence, said.strip(), tail.strip()) if part))
