"""A Vzenith camera's own web page, from which its whitelist is read back (`/dbopr.php`).

The push channel has no acknowledgement, so this is the only proof that a camera holds what it was told.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

import requests
from urllib3.exceptions import HTTPError

from app.adapters.gates.fields import listed, local_time, number, record, root_of, text
from app.adapters.gates.vzenith import TIME
from app.adapters.gates.words import Foreign, ListRow
from app.adapters.outbound import LONGEST_ANSWER, Reach, bounded, guarded_session
from app.kernel.deadline import within

PAGE: Final = 200
MOST_ROWS: Final = 20_000
SECONDS: Final = (3.0, 5.0)
LIST_SECONDS: Final = 60.0
"""For a whole list, of however many pages."""
log = logging.getLogger("app.adapters.gates")


class VzenithWeb:
    """Reads cameras' lists. Call outside transactions. Safe to share between threads."""

    def __init__(self, reach: Reach) -> None:
        self._session = guarded_session(reach)

    def rows(self, url: str) -> list[ListRow] | None:
        """Everything that the camera at this address lists; `None` when it does not answer so that we understand."""
        try:
            with within(LIST_SECONDS):
                return self._all(url)
        except (requests.RequestException, HTTPError, OSError, Foreign) as error:
            log.warning("camera_list_unread", extra={"error": type(error).__name__})
            return None

    def _all(self, url: str) -> list[ListRow]:
        total = number(self._ask(url, operator_type="select_count_by_plate", plate="").get("total_count"))
        rows: list[Mapping[str, Any]] = []
        while len(rows) < min(total, MOST_ROWS):
            answer = self._ask(url, operator_type="select_fuzzy", plate="", start_pos=len(rows), select_count=PAGE)
            page = [record(row) for row in listed(answer.get("dldb_rec"))]
            if not page:
                break
            rows.extend(page)
        return [_row(row) for row in rows if _opens(row)]

    def _ask(self, url: str, **question: Any) -> Mapping[str, Any]:
        body = {"cmd": "white_list_operator", "id": "gongbo", **question}
        with self._session.post(
            f"{url}/dbopr.php", json=body, timeout=SECONDS, allow_redirects=False, stream=True
        ) as response:
            if response.status_code != requests.codes.ok:
                raise Foreign("status")
            content = bounded(response.iter_content(64 * 1024))
        if len(content) > LONGEST_ANSWER:
            raise Foreign("length")
        return root_of(content)


def _opens(row: Mapping[str, Any]) -> bool:
    """A row that is switched off, or names a plate to raise an alarm for, lets nobody in."""
    return number(row.get("enable", 1)) == 1 and number(row.get("need_alarm", 0)) == 0


def _row(row: Mapping[str, Any]) -> ListRow:
    begins_at, ends_at = local_time(row.get("enable_time"), TIME), local_time(row.get("overdue_time"), TIME)
    return ListRow(text(row.get("plate")), begins_at, ends_at)
