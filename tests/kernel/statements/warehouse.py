"""A domain of the tests' own: a warehouse, with a column of every type that a database has."""

# ruff: noqa: DTZ001, DTZ901 -- a time without a zone is a value that a database may be given

import enum
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Dialect,
    Double,
    Enum,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    Sequence,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.types import TypeEngine, UserDefinedType

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Grade(enum.Enum):
    FINE = "fine"
    WORN = "worn"


class Cents(TypeDecorator[Decimal]):
    """An amount of money, which the database keeps as a number of cents."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value * 100)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value) / 100


class Size(UserDefinedType[tuple[int, str, datetime]]):
    """A composite type of PostgreSQL, which asyncpg takes from a tuple."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "size"


COMPOSITE = "CREATE TYPE size AS (length integer, unit text, measured_at timestamptz)"

_times = st.datetimes(timezones=st.just(UTC)) | st.sampled_from(
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1, 1, 1, 12, tzinfo=timezone(timedelta(hours=14))),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime.max,
        datetime.min,
        datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    ]
)
_integers = st.integers(-5, 5) | st.sampled_from([2**15, 2**31 - 1, 2**31, 2**63, -(2**63) - 1])
_floats = st.floats(width=32) | st.sampled_from([float("inf"), float("nan"), 1e308, 5e-324])
_decimals = st.decimals(-1000, 1000, places=2) | st.sampled_from(
    [Decimal("NaN"), Decimal("1e30"), Decimal("0.123456789012345678")]
)
_texts = st.text("abcä€😀'\"%:$1", max_size=8) | st.sampled_from(["\0", "\ud800", "x" * 60])
_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab\"'", max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab"), inner, max_size=2),
    max_leaves=3,
)
_bounds = st.sampled_from(["[)", "(]", "[]", "()"])


def _ranges(ends: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def ordered(pair: tuple[Any, Any], bounds: str) -> Any:
        low, high = sorted(pair)
        return pg.Range(low, high, bounds=bounds)  # type: ignore[arg-type]

    return (
        st.builds(ordered, st.tuples(ends, ends), _bounds)
        | st.builds(pg.Range, st.none(), ends)
        | st.just(pg.Range(empty=True))
    )


_years = st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
_dates = st.dates() | st.sampled_from([date.min, date.max])

Kind = tuple[Callable[[], TypeEngine[Any]], st.SearchStrategy[Any]]

KINDS: dict[str, Kind] = {
    "integer": (Integer, _integers),
    "small": (SmallInteger, _integers),
    "big": (BigInteger, _integers),
    "numeric": (lambda: Numeric(20, 4), _decimals),
    "numeric_as_float": (lambda: Numeric(20, 4, asdecimal=False), _floats),
    "float_": (Float, _floats),
    "float_as_decimal": (lambda: Float(asdecimal=True), _floats),
    "double": (Double, _floats),
    "boolean": (Boolean, st.booleans()),
    "string": (lambda: String(50), _texts),
    "text": (Text, _texts),
    "date": (Date, _dates),
    "time": (Time, st.times()),
    "local_time": (DateTime, st.datetimes() | st.sampled_from([datetime.max, datetime.min])),
    "instant": (lambda: DateTime(timezone=True), _times | _dates),
    "interval": (Interval, st.timedeltas(timedelta(-9999), timedelta(9999))),
    "word": (lambda: Enum(Grade, native_enum=False, length=10), st.sampled_from(Grade)),
    "choice": (lambda: Enum("a", "b", native_enum=False, length=10), st.sampled_from("abc")),
    "json": (JSON, _json),
    "binary": (LargeBinary, st.binary(max_size=5)),
    "uuid": (Uuid, st.uuids()),
    "uuid_text": (lambda: Uuid(as_uuid=False), st.uuids().map(str)),
    "cents": (Cents, st.decimals(-99, 99, places=2)),
}

ONLY_POSTGRESQL: dict[str, Kind] = {
    "native_enum": (lambda: Enum(Grade, name="grade"), st.sampled_from(Grade)),
    "jsonb": (pg.JSONB, _json),
    "integers": (lambda: pg.ARRAY(Integer), st.lists(_integers, max_size=3)),
    "numerics": (lambda: pg.ARRAY(Numeric(20, 4)), st.lists(_decimals, max_size=3)),
    "floats": (lambda: pg.ARRAY(Float), st.lists(_floats, max_size=3)),
    "texts": (lambda: pg.ARRAY(Text), st.lists(_texts, max_size=3)),
    "uuids": (lambda: pg.ARRAY(Uuid), st.lists(st.uuids(), max_size=3)),
    "instants": (lambda: pg.ARRAY(DateTime(timezone=True)), st.lists(_times, max_size=3)),
    "matrix": (lambda: pg.ARRAY(Integer, dimensions=2), st.just([[1, 2], [3, 4]])),
    "integer_range": (pg.INT4RANGE, _ranges(st.integers(-9, 9))),
    "numeric_range": (pg.NUMRANGE, _ranges(st.decimals(-9, 9, places=1))),
    "date_range": (pg.DATERANGE, _ranges(st.dates(date(1990, 1, 1), date(2030, 1, 1)))),
    "instant_range": (pg.TSTZRANGE, _ranges(_years)),
    "multirange": (pg.INT4MULTIRANGE, st.lists(_ranges(st.integers(-9, 9)), max_size=2)),
    "instant_multirange": (pg.TSTZMULTIRANGE, st.lists(_ranges(_years), max_size=2)),
    "interval_of_pg": (pg.INTERVAL, st.timedeltas(timedelta(-9999), timedelta(9999))),
    "zoned_time": (lambda: Time(timezone=True), st.times(timezones=st.just(UTC))),
    "address": (pg.INET, st.ip_addresses().map(str)),
    "bits": (lambda: pg.BIT(4), st.just("0101")),
    "money": (pg.MONEY, st.just("1.50")),
    "composite": (Size, st.tuples(st.integers(-9, 9), st.text("ab", max_size=2), _times)),
}


def kinds(dialect_name: str) -> dict[str, Kind]:
    """Return the kinds of values that the database has, by the name of their column."""
    return {**KINDS, **(ONLY_POSTGRESQL if dialect_name == "postgresql" else {})}


def _initials(context: Any) -> str:
    return str(context.get_current_parameters().get("name") or "")[:1].upper()


class Warehouse:
    """The tables, as one database has them."""

    def __init__(self, dialect_name: str) -> None:
        self.kinds = kinds(dialect_name)
        self.metadata = MetaData(naming_convention=NAMING)
        is_postgresql = dialect_name == "postgresql"
        identity = [Identity()] if is_postgresql else []
        generated = [Column("number", Integer, Sequence("product_numbers"))]
        self.samples = Table(
            "samples",
            self.metadata,
            Column("id", Integer, primary_key=True),
            *(Column(name, make()) for name, (make, _) in self.kinds.items()),
        )
        self.products = Table(
            "products",
            self.metadata,
            Column("id", Integer, *identity, primary_key=True),
            Column("name", String(50), nullable=False),
            Column("code", String(20), unique=True),
            Column("price", Numeric(12, 2), nullable=False, default=Decimal("1.50")),
            Column("initials", String(1), default=_initials),
            Column("tags", JSON, default=lambda: ["new"]),
            Column("state", String(10), server_default="fresh", nullable=False),
            Column("rank", Integer, default=text("3 + 4")),
            Column("changes", Integer, default=0, onupdate=text("changes + 1")),
            Column("edited_by", String(10), onupdate=lambda: "editor"),
            Column("twice", Numeric(12, 2), Computed("price * 2")),
            *(generated if is_postgresql else ()),
            CheckConstraint("price >= 0", name="price"),
            Index("uq_products_lower_name", func.lower(text("name")), unique=True),
            Index(
                "uq_products_fresh_rank",
                "rank",
                unique=True,
                sqlite_where=text("state = 'open'"),
                postgresql_where=text("state = 'open'"),
            ),
        )
        self.places = Table(
            "places",
            self.metadata,
            Column("hall", Integer, primary_key=True),
            Column("shelf", Integer, primary_key=True),
            Column("above_hall", Integer),
            Column("above_shelf", Integer),
            UniqueConstraint("shelf", "above_hall"),
            ForeignKeyConstraint(["above_hall", "above_shelf"], ["places.hall", "places.shelf"]),
        )
        self.stocks = Table(
            "stocks",
            self.metadata,
            Column("id", Uuid, primary_key=True),
            Column("product_id", ForeignKey("products.id"), nullable=False),
            Column("code", ForeignKey("products.code", ondelete="SET NULL", onupdate="CASCADE")),
            Column("gift_id", ForeignKey("products.id", ondelete="RESTRICT", onupdate="RESTRICT")),
            Column("hall", Integer),
            Column("shelf", Integer),
            Column("amount", Integer, nullable=False, server_default="1"),
            ForeignKeyConstraint(
                ["hall", "shelf"],
                ["places.hall", "places.shelf"],
                deferrable=True,
                initially="DEFERRED",
            ),
        )
        self.entries = Table(
            "entries",
            self.metadata,
            Column("key", String(20), primary_key=True),
            Column("note", Text),
            Column("made_at", DateTime(timezone=True)),
        )

    @property
    def tables(self) -> list[Table]:
        return self.metadata.sorted_tables


def stock_id(number: int) -> UUID:
    return UUID(int=number)
