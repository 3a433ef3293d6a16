"""The declarative base of all tables and the column types that they share."""

import uuid
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, Identity, LargeBinary, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column, registry

from app.kernel.ids import new_key

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All tables of the platform; money is bigint fen, moments are timestamptz."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={
            int: BigInteger,
            str: Text,
            bytes: LargeBinary,
            datetime: DateTime(timezone=True),
            uuid.UUID: Uuid,
            dict[str, Any]: JSONB,
            list[Any]: JSONB,
        },
    )


Id = Annotated[int, mapped_column(BigInteger, Identity(always=True), primary_key=True)]
Key = Annotated[uuid.UUID, mapped_column(Uuid, default=new_key, unique=True)]
