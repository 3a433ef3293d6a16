"""Which of the city's plates a camera means by what it read."""

from collections import Counter
from collections.abc import Mapping

from app.domain.gates import queries
from app.domain.motorists.actions import remember_plates
from app.domain.motorists.plates import Plate
from app.domain.motorists.queries import Fitting, plates_fitting


class Recognition:
    """The rows of plates that one gate read, made where there are none.

    A camera that saw no colour still means the one car with these characters that its lot expects or holds, and the
    other way round. With none such, or several, the plate is taken as it was read. Plates of which only one row can be
    meant are asked for together; for the others it matters which cars are inside by then.
    """

    def __init__(self, device_id: int, fitting: Fitting) -> None:
        """`fitting` has the plates that will be asked for, as things stood when the batch came."""
        self._device_id = device_id
        self._plain = _plain(fitting)

    def of(self, plate: Plate) -> int:
        """The row of a plate, as things stand now."""
        known = self._plain.get(plate)
        return self._among(plate, plates_fitting([plate])[plate]) if known is None else known

    def _among(self, plate: Plate, fitting: Mapping[int, str]) -> int:
        same = _same(plate, fitting)
        if len(fitting) > (same is not None):
            known = queries.known_to_lot(self._device_id, list(fitting))
            if same not in known and len(known) == 1:
                return known.pop()
        return remember_plates([plate])[plate] if same is None else same


def _plain(fitting: Fitting) -> dict[Plate, int]:
    """Those of which nothing but their own row could be meant, whatever the others become."""
    read = Counter(plate.characters for plate in fitting)
    fitting = {plate: rows for plate, rows in fitting.items() if read[plate.characters] == 1}
    alone = {
        plate: row
        for plate, rows in fitting.items()
        if len(rows) == 1
        for row, colour in rows.items()
        if colour == plate.colour
    }
    return alone | remember_plates([plate for plate, rows in fitting.items() if not rows])


def _same(plate: Plate, fitting: Mapping[int, str]) -> int | None:
    return next((row for row, colour in fitting.items() if colour == plate.colour), None)
