"""A car has left and its stay is not paid."""

import uuid
from datetime import datetime

from sqlalchemy import case
from sqlalchemy.dialects.postgresql import insert

from app.domain.arrears.models import Arrear
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.ids import new_key
from app.kernel.money import Fen


def owe(
    stay_key: uuid.UUID, lot_id: int, left_at: datetime, *, payee_id: int, amount_fen: Fen,
    motorist_id: int | None = None, charge_key: uuid.UUID | None = None,
) -> None:  # fmt: skip
    """Write down what is asked for a stay that has ended, in the transaction that asks; again with a newer charge.

    Without motorist and charge it is nobody's debt until the stay is somebody's. Whether it is still owed is the
    charge's affair. Steps that were taken stay taken, unless the debt becomes somebody's only now.
    """
    with transaction():
        row = insert(Arrear).values(
            key=new_key(), stay_key=stay_key, lot_id=lot_id, motorist_id=motorist_id, payee_id=payee_id,
            amount_fen=amount_fen, charge_key=charge_key, left_at=left_at, owed_since=clock.now(),
        )  # fmt: skip
        newer = row.excluded
        since = case((Arrear.motorist_id.is_(None), newer.owed_since), else_=Arrear.owed_since)
        current().execute(
            row.on_conflict_do_update(
                constraint="a_stay_is_owed_for_once",
                set_={
                    "motorist_id": newer.motorist_id, "payee_id": newer.payee_id, "amount_fen": newer.amount_fen,
                    "charge_key": newer.charge_key, "owed_since": since,
                },
                where=Arrear.charge_key.is_distinct_from(newer.charge_key),
            )
        )  # fmt: skip
