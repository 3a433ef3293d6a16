"""Which of the city's plates a camera means by what it read."""

from app.domain.gates import queries
from app.domain.motorists.actions import remember_plate
from app.domain.motorists.plates import Plate
from app.domain.motorists.queries import plates_fitting


def recognised_plate(device_id: int, plate: Plate) -> int:
    """The row of a plate that this gate read, made when there is none.

    A camera that saw no colour still means the one car with these characters that its lot expects or holds, and the
    other way round. With none such, or several, the plate is taken as it was read.
    """
    fitting = plates_fitting(plate)
    same = next((plate_id for plate_id, colour in fitting.items() if colour == plate.colour), None)
    if len(fitting) > (same is not None):
        known = queries.known_to_lot(device_id, list(fitting))
        if same not in known and len(known) == 1:
            return known.pop()
    return remember_plate(plate) if same is None else same
