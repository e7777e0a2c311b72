"""Random statements on the warehouse, with parameters that may be wrong."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import (
    Executable,
    Integer,
    String,
    bindparam,
    case,
    cast,
    column,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
    union,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from tests.kernel.statements.both_ways import Step
from tests.kernel.statements.warehouse import Warehouse, stock_id

_ids = st.integers(1, 4)
_names = st.sampled_from(["Lamp", "lamp", "Desk", "Chair", "", "x" * 40])
_codes = st.sampled_from([None, "a", "b", "c"])
_states = st.sampled_from(["open", "shut"])


@st.composite
def samples(draw: st.DrawFn, warehouse: Warehouse) -> list[Step]:
    """A row of values of some types, and reads that find it by them."""
    names = draw(st.lists(st.sampled_from(sorted(warehouse.kinds)), min_size=1, max_size=3))
    values = {name: draw(st.none() | warehouse.kinds[name][1]) for name in names}
    table = warehouse.samples
    key = draw(_ids)
    some = [table.c[name] for name in values]
    return [
        Step(insert(table), {"id": key, **values}),
        Step(select(table.c.id, *some), {}, is_read=True),
        Step(select(table.c.id, *some).order_by(table.c.id), {}, is_read=True),
        Step(select(table).where(table.c.id == bindparam("key")), {"key": key}, is_read=True),
        Step(
            select(*[each.label(f"the_{each.name}") for each in some]).limit(bindparam("limit")),
            {"limit": 2},
            is_read=True,
        ),
        Step(select(func.count(), *[func.count(each) for each in some]), {}, is_read=True),
        Step(
            update(table).where(table.c.id == bindparam("key")).returning(*some),
            {"key": key, **values},
            is_read=True,
        ),
    ]


@st.composite
def _product(draw: st.DrawFn) -> dict[str, Any]:
    some = {
        "id": _ids,
        "name": _names,
        "code": _codes,
        "price": st.decimals(-1, 9, places=2),
        "tags": st.sampled_from([None, [], ["a"]]),
        "state": _states,
        "rank": st.integers(1, 2),
        "naem": _names,
    }
    names = draw(st.sets(st.sampled_from(sorted(some)), max_size=5)) | {"id", "name"}
    if draw(st.integers(0, 9)) == 0:
        names -= {"name"}
    return {name: draw(some[name]) for name in sorted(names)}


def _place(numbers: tuple[int, int, int | None]) -> dict[str, Any]:
    hall, shelf, above = numbers
    return {"hall": hall, "shelf": shelf, "above_hall": above, "above_shelf": above and 1}


def writes(warehouse: Warehouse) -> st.SearchStrategy[Step]:
    products, places, stocks = warehouse.products, warehouse.places, warehouse.stocks
    entries = warehouse.entries
    is_postgresql = "jsonb" in warehouse.kinds
    upsert: Any = postgresql.insert if is_postgresql else sqlite.insert
    ignoring = upsert(products).on_conflict_do_nothing()
    merging = upsert(products)
    merging = merging.on_conflict_do_update(
        index_elements=[products.c.id], set_={"name": merging.excluded.name}
    ).returning(products.c.id, products.c.name)
    by_id = products.c.id == bindparam("key")
    many = st.lists(_product(), min_size=1, max_size=3)
    named = st.fixed_dictionaries({"key": _ids, "name": _names})
    keyed = st.fixed_dictionaries({"key": _ids})
    stock = st.fixed_dictionaries(
        {"id": _ids.map(stock_id), "product_id": _ids, "code": _codes},
        optional={
            "gift_id": _ids,
            "hall": st.integers(1, 2),
            "shelf": st.just(1),
            "amount": st.integers(0, 3),
        },
    )
    place = st.tuples(st.integers(1, 2), st.just(1), st.none() | st.integers(1, 2)).map(_place)
    entry = st.fixed_dictionaries({"key": st.sampled_from("ab")}, optional={"note": _names})
    return st.one_of(
        st.builds(Step, st.just(insert(products)), _product()),
        st.builds(Step, st.just(insert(products)), many),
        st.builds(Step, many.map(insert(products).values), st.just({})),
        st.builds(Step, st.just(ignoring), _product()),
        st.builds(Step, st.just(merging), _product()),
        st.builds(
            Step,
            st.just(
                insert(products).from_select(
                    ["id", "name"],
                    select(products.c.id + 1, products.c.name + "!").where(by_id),
                )
            ),
            keyed,
        ),
        st.builds(Step, st.just(update(products).where(by_id)), named),
        st.builds(Step, st.just(update(products).where(by_id).returning(products.c.id)), named),
        st.builds(
            Step,
            st.just(update(products).where(by_id).values(name=bindparam("new_name"))),
            named | st.fixed_dictionaries({"key": _ids, "new_name": _names}),
        ),
        st.builds(Step, st.just(update(products).where(by_id).values(code="c")), keyed),
        st.builds(
            Step,
            st.just(
                update(stocks)
                .where(stocks.c.product_id == products.c.id, by_id)
                .values(amount=stocks.c.amount + 1)
            ),
            keyed,
        ),
        st.builds(Step, st.just(delete(products).where(by_id)), keyed),
        st.builds(
            Step,
            st.just(delete(products).where(products.c.id.in_(bindparam("key")))),
            st.fixed_dictionaries({"key": st.lists(_ids, max_size=2)}),
        ),
        st.builds(Step, st.just(insert(places)), place),
        st.builds(
            Step,
            st.just(delete(places).where(places.c.hall == bindparam("at"))),
            st.fixed_dictionaries({"at": st.integers(1, 2)}),
        ),
        st.builds(Step, st.just(insert(stocks)), stock),
        st.builds(Step, st.just(insert(entries)), entry),
        st.builds(Step, st.just(upsert(entries).on_conflict_do_nothing()), entry),
        st.builds(Step, st.just(text("UPDATE products SET rank = :rank")), st.just({"rank": 2})),
    )


def queries(warehouse: Warehouse) -> list[Executable]:
    """Return one query of every shape."""
    products, stocks = warehouse.products, warehouse.stocks
    everything = select(products).order_by(products.c.id)
    some = products.alias("some")
    cheap = select(products.c.id).where(products.c.price < bindparam("most")).cte("cheap")
    return [
        everything,
        everything.where(products.c.id == bindparam("key")),
        everything.where(products.c.id.in_(bindparam("keys", expanding=True))),
        everything.where(products.c.id.in_([1, 2])).limit(1).offset(bindparam("skip")),
        everything.where(products.c.price < bindparam("most")),
        everything.where(or_(products.c.state == "open", products.c.name == bindparam("name"))),
        everything.distinct(),
        everything.params(skip=1).offset(bindparam("skip")),
        everything.execution_options(schema_translate_map={None: None}),
        everything.limit(bindparam("limit", 2, literal_execute=True)),
        everything.where(products.c.id == bindparam("now", callable_=lambda: 1)),
        select(products.c.price.label("cost"), (products.c.price * 2).label("x")).order_by("cost"),
        select(func.count()).select_from(products),
        select(func.sum(products.c.price), func.max(products.c.name), func.avg(products.c.rank)),
        select(cast(products.c.price, Integer), cast(products.c.id, String)),
        select(products.c.name, stocks.c.amount).join_from(products, stocks, isouter=True),
        select(some.c.name).where(exists().where(stocks.c.product_id == some.c.id)),
        select(cheap.c.id).order_by(cheap.c.id),
        union(select(products.c.id, products.c.name), select(stocks.c.amount, stocks.c.code)),
        select(case((products.c.price > 1, "dear"), else_="cheap")).order_by(products.c.id),
        select(literal_column("1, 2"), products.c.price),
        select(text("name"), products.c.price).select_from(products),
        select(products.c.tags, products.c.twice, products.c.initials).order_by(text("id DESC")),
        text("SELECT id, price, tags FROM products WHERE id = :key"),
        text("SELECT id, price FROM products").columns(products.c.id, products.c.price),
        text("SELECT price, id FROM products").columns(column("id"), products.c.price),
        select(products.c.nowhere if "nowhere" in products.c else column("nowhere")).select_from(
            products
        ),
        select(func.coalesce(products.c.code, bindparam("name", type_=String))),
    ]


def reads(warehouse: Warehouse) -> st.SearchStrategy[Step]:
    parameters = st.fixed_dictionaries(
        {},
        optional={
            "key": _ids,
            "keys": st.lists(_ids, max_size=3),
            "skip": st.integers(0, 1),
            "most": st.sampled_from([Decimal("2.50"), Decimal(0)]),
            "name": _names,
            "limit": st.integers(0, 2),
            "kye": _ids,
        },
    )
    return st.builds(Step, st.sampled_from(queries(warehouse)), parameters, is_read=st.just(True))
