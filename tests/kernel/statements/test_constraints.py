"""The name of a violated constraint reaches `Write.violations`, on each database and by each
way."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Column, Index, Integer, MetaData, Table, column, delete, insert, text, update

from adapters.sql.kernel.errors.storage_errors import ConstraintViolated
from adapters.sql.kernel.execution.database import Database, Write
from adapters.sql.kernel.sqlite.constraints import SqliteConstraints
from application.kernel.errors import ApplicationError
from tests.kernel.statements.both_ways import BothWays
from tests.kernel.statements.warehouse import Warehouse, stock_id

Run = Callable[[Any], Any]
Writes = list[Write]


class Rejected(ApplicationError):
    pass


def case(name: str, make: Callable[[Warehouse], Writes]) -> Any:
    return pytest.param(name, make, id=name)


def product(warehouse: Warehouse, number: int, **values: Any) -> Write:
    own = {"id": number, "name": f"n{number}", "price": 1, "tags": [], "initials": "N"}
    own |= {"rank": number, "changes": 0}
    return Write(insert(warehouse.products), own | values)


def place(warehouse: Warehouse, hall: int, *above: int | None) -> Write:
    above_hall, above_shelf = above or (None, None)
    values = {"hall": hall, "shelf": 1, "above_hall": above_hall, "above_shelf": above_shelf}
    return Write(insert(warehouse.places), values)


def stock(warehouse: Warehouse, number: int, **values: Any) -> Write:
    own = {"id": stock_id(number), "product_id": 1}
    return Write(insert(warehouse.stocks), own | values)


def gift(warehouse: Warehouse) -> Writes:
    """Return the writes of a product that comes with another one."""
    return [product(warehouse, 2), stock(warehouse, 2, gift_id=2)]


def without_product(warehouse: Warehouse, number: int) -> Write:
    products = warehouse.products
    return Write(delete(products).where(products.c.id == number), {})


CASES = [
    case("pk_products", lambda its: [product(its, 1)]),
    case("uq_products_code", lambda its: [product(its, 2, code="a")]),
    case("ck_products_price", lambda its: [product(its, 2, price=-1)]),
    # Of an expression, and of a part of the rows.
    case("uq_products_lower_name", lambda its: [product(its, 2, name="N1")]),
    case("uq_products_fresh_rank", lambda its: [product(its, 2, rank=1, state="open")]),
    case("uq_places_shelf_above_hall", lambda its: [place(its, 2, 1, 1), place(its, 3, 1, 1)]),
    case("fk_stocks_product_id_products", lambda its: [stock(its, 2, product_id=9)]),
    case("fk_stocks_code_products", lambda its: [stock(its, 2, code="z")]),
    case(
        "fk_stocks_product_id_products",
        lambda its: [Write(update(its.stocks).values(product_id=9), {})],
    ),
    # From the side of the row that is referred to.
    case("fk_stocks_product_id_products", lambda its: [Write(delete(its.products), {})]),
    case(
        "fk_stocks_product_id_products",
        lambda its: [Write(update(its.products).values(id=7, changes=1, edited_by="x"), {})],
    ),
    # By an action RESTRICT, which rejects before the end of the statement.
    case("fk_stocks_gift_id_products", lambda its: [*gift(its), without_product(its, 2)]),
    case(
        "fk_stocks_gift_id_products",
        lambda its: [*gift(its), Write(text("DELETE FROM products WHERE id = 2"), {})],
    ),
    case(
        "fk_stocks_gift_id_products",
        lambda its: [
            *gift(its),
            # That which changes no key is not rejected.
            Write(update(its.products).values(id=its.products.c.id, changes=1, edited_by="x"), {}),
            Write(
                update(its.products)
                .where(its.products.c.id == 2)
                .values(id=7, changes=1, edited_by="x"),
                {},
            ),
        ],
    ),
    # One that refers to its own table, of several columns.
    case("fk_places_above_hall_above_shelf_places", lambda its: [place(its, 2, 9, 9)]),
    # Deferred: checked by COMMIT.
    case("fk_stocks_hall_shelf_places", lambda its: [stock(its, 2, hall=9, shelf=9)]),
    case(
        "fk_stocks_hall_shelf_places",
        lambda its: [stock(its, 2, hall=9, shelf=9), stock(its, 3)],
    ),
    # By SQLAlchemy's execution.
    case(
        "fk_stocks_product_id_products",
        lambda its: [
            Write(
                insert(its.stocks),
                [{"id": stock_id(number), "product_id": number} for number in (3, 9)],
            )
        ],
    ),
    case(
        "fk_stocks_hall_shelf_places",
        lambda its: [
            Write(
                insert(its.stocks),
                [
                    {"id": stock_id(number), "product_id": 1, "hall": 9, "shelf": 9}
                    for number in (3, 4)
                ],
            )
        ],
    ),
]


@pytest.fixture
def database(
    both_ways: BothWays, warehouse: Warehouse, runner: asyncio.Runner, kind_of_database: str
) -> Database:
    """A database with one product, one place, and a stock."""
    stored = [
        product(warehouse, 1, code="a", state="open"),
        place(warehouse, 1),
        stock(warehouse, 1, code="a", hall=1, shelf=1),
    ]
    runner.run(both_ways.clear())
    runner.run(both_ways.database.apply(stored))
    return both_ways.database


def rejecting(name: str, writes: Writes) -> Writes:
    return [
        Write(each.statement, each.parameters, violations={name: Rejected()}) for each in writes
    ]


@pytest.mark.parametrize(("name", "make"), CASES)
def test_alone(
    database: Database, runner: asyncio.Runner, warehouse: Warehouse, name: str, make: Any
) -> None:
    with pytest.raises(Rejected):
        runner.run(database.apply(rejecting(name, make(warehouse))))


@pytest.mark.parametrize(("name", "make"), CASES)
def test_in_a_transaction(
    database: Database, runner: asyncio.Runner, warehouse: Warehouse, name: str, make: Any
) -> None:
    async def apply() -> None:
        async with database.transaction() as transaction:
            await transaction.apply(rejecting(name, make(warehouse)))
            await transaction.commit()

    with pytest.raises(Rejected):
        runner.run(apply())


@pytest.mark.parametrize(("name", "make"), CASES)
def test_beside_others(
    database: Database, runner: asyncio.Runner, warehouse: Warehouse, name: str, make: Any
) -> None:
    """What waits for the same commit is stored all the same, but what violates a constraint."""

    async def apply() -> Sequence[Any]:
        entries = [Write(insert(warehouse.entries), {"key": str(number)}) for number in range(3)]
        return await asyncio.gather(
            database.apply(entries[:1]),
            database.apply(rejecting(name, make(warehouse))),
            database.apply(entries[1:]),
            return_exceptions=True,
        )

    assert [type(outcome) for outcome in runner.run(apply())] == [type(None), Rejected, type(None)]
    rows = runner.run(database.fetch(warehouse.entries.select(), {}))
    assert len(rows) == 3


def test_the_search_leaves_nothing_behind(
    database: Database, runner: asyncio.Runner, warehouse: Warehouse
) -> None:
    """After the name was found, keys are checked as ever, and good writes are stored."""
    name = "fk_stocks_product_id_products"
    for _ in range(3):
        with pytest.raises(Rejected):
            runner.run(database.apply(rejecting(name, [stock(warehouse, 2, product_id=9)])))
    runner.run(database.apply([stock(warehouse, 2)]))

    rows = runner.run(database.fetch(warehouse.stocks.select(), {}))
    assert len(rows) == 2


def test_no_name_is_guessed_of_partial_indexes_with_the_same_columns() -> None:
    one, other, only = (column("state") == state for state in "abc")
    table = Table(
        "parcels",
        MetaData(),
        Column("rank", Integer),
        Column("place", Integer),
        Index("uq_one", "rank", unique=True, sqlite_where=one),
        Index("uq_other", "rank", unique=True, sqlite_where=other),
        Index("uq_only", "place", unique=True, sqlite_where=only),
    )
    constraints = SqliteConstraints(table.metadata)

    assert constraints.named(ConstraintViolated("parcels.rank")).constraint == "parcels.rank"
    assert constraints.named(ConstraintViolated("parcels.place")).constraint == "uq_only"
