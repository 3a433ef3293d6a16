"""What tells of events, and how those that a comparison looks at are found."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

POSTED_SINCE: Final = "SELECT business_ref FROM journal WHERE posted_on >= :since"
ONE: Final = "SELECT CAST(:reference AS text) AS business_ref"
_RECENT: Final = """
    SELECT DISTINCT split_part(named, ':', 1) AS family, substr(named, strpos(named, ':') + 1) AS name,
           CASE WHEN named ~ ':[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$'
                THEN right(named, 36)::uuid END AS key
    FROM (SELECT regexp_replace(business_ref, '^.*/', '') AS named FROM ({references}) AS told) AS told
"""
"""Of what references tell, whatever their kind: `order:P1` is order P1, and so is what a reversal of it is called."""


@dataclass(frozen=True)
class Source:
    """Some tables that tell of events.

    `found` are the questions, by their names and in the order in which each uses those before it, that find what has
    moved since then or of which a `recent` journal tells. Each block of `posts` is one kind of event and answers
    `kind, ref, payee_id, code, fen`: the lines of the journal that each event must have.
    """

    found: Mapping[str, str]
    posts: Sequence[str]


def expected(sources: Iterable[Source], references: str) -> str:
    """The questions `recent`, all those of the sources, and `expected`: every line that must be in the books."""
    told = list(sources)
    found = {"recent": _RECENT.format(references=references)}
    found |= {name: question for each in told for name, question in each.found.items()}
    found["expected"] = "\nUNION ALL\n".join(block for each in told for block in each.posts)
    return ",\n".join(f"{name} AS ({question})" for name, question in found.items())
