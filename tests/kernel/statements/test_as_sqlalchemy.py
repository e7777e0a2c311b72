"""The repositories' way of executing a statement has the outcome of SQLAlchemy's own, for random
statements and parameters: the same rows, the same errors, and the same data afterwards."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from tests.kernel.statements.both_ways import BothWays, Step
from tests.kernel.statements.random_steps import queries, reads, samples, writes
from tests.kernel.statements.warehouse import Warehouse

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

Run = Callable[[Coroutine[Any, Any, None]], None]
QUICK = settings(
    max_examples=25,
    database=None,
    deadline=None,
    print_blob=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MANY = settings(QUICK, max_examples=400)


def compare_values(both: BothWays, warehouse: Warehouse, run: Run, runs: settings) -> None:
    async def compare(steps: list[Step]) -> None:
        await both.clear()
        await both.unit(steps[:1])
        for step in steps[1:-1]:
            await both.read(step)
        await both.transaction(steps)

    @runs
    @given(samples(warehouse))
    def test(steps: list[Step]) -> None:
        run(compare(steps))

    test()


def compare_statements(both: BothWays, warehouse: Warehouse, run: Run, runs: settings) -> None:
    write, read = writes(warehouse), reads(warehouse)
    unit = st.tuples(st.just("unit"), st.lists(write, min_size=1, max_size=3))
    transaction = st.tuples(st.just("transaction"), st.lists(write | read, max_size=4))
    alone = st.tuples(st.just("read"), st.lists(read, min_size=1, max_size=3))

    async def compare(parts: list[tuple[str, list[Step]]]) -> None:
        await both.clear()
        for kind, steps in parts:
            if kind == "unit":
                await both.unit(steps)
            elif kind == "transaction":
                await both.transaction(steps)
            else:
                for step in steps:
                    await both.read(step)

    @runs
    @given(st.lists(unit | transaction | alone, min_size=1, max_size=4))
    def test(parts: list[tuple[str, list[Step]]]) -> None:
        run(compare(parts))

    test()


@pytest.fixture(scope="module")
def run(runner: asyncio.Runner) -> Run:
    return runner.run


@pytest.mark.parametrize("missing", ["", "key", "keys", "skip", "most", "name", "limit"])
def test_every_query(both_ways: BothWays, warehouse: Warehouse, run: Run, missing: str) -> None:
    parameters = {"key": 1, "keys": [1, 3], "skip": 0, "most": 5, "name": "n2", "limit": 2}
    parameters.pop(missing, None)
    products = [{"id": number, "name": f"n{number}", "state": "open"} for number in (1, 2, 3)]

    async def compare() -> None:
        await both_ways.clear()
        await both_ways.unit([Step(insert(warehouse.products), products)])
        for query in queries(warehouse):
            await both_ways.read(Step(query, parameters))

    run(compare())


def test_values(both_ways: BothWays, warehouse: Warehouse, run: Run) -> None:
    compare_values(both_ways, warehouse, run, QUICK)


def test_statements(both_ways: BothWays, warehouse: Warehouse, run: Run) -> None:
    compare_statements(both_ways, warehouse, run, QUICK)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_values(both_ways: BothWays, warehouse: Warehouse, run: Run) -> None:
    compare_values(both_ways, warehouse, run, MANY)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_statements(both_ways: BothWays, warehouse: Warehouse, run: Run) -> None:
    compare_statements(both_ways, warehouse, run, MANY)
