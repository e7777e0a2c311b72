"""The response to a request that failed says that nothing was changed only if that is true.

Where it failed, times how the commit is wrapped, times the kind of unit, on each storage. What
strikes in mid-commit strikes when the database has made the commit and its caller cannot know.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Request
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from application.kernel.errors import StorageFull, StorageUnavailable, TransactionConflict
from entrypoints.http.dependencies import get_async_session
from entrypoints.http.kernel.middleware import request_deadline
from entrypoints.http.kernel.problems.problem_types import (
    DATABASE_FULL,
    DATABASE_UNAVAILABLE,
    DEADLINE_EXCEEDED,
    FAILED_AFTER_COMMIT,
    INTERNAL_ERROR,
    OUTCOME_UNKNOWN,
    SHUTTING_DOWN,
    TRANSACTION_CONFLICT,
    ProblemType,
)
from tests.kernel.contract.products import new_product
from tests.kernel.integration.commit_gate import CommitGate
from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import PRODUCTS, client_of, settings_for
from tests.kernel.warehouse.app import create_app
from tests.kernel.warehouse.application import UnitsOfWork
from tests.kernel.warehouse.sql import PRODUCT_ROWS, products

Commit = Callable[[], Awaitable[None]]
NOTHING = "Nothing was changed."
UNKNOWN = "The outcome of the commit is unknown; check before retrying."
COMMITTED = "An earlier part of the request was committed; check before retrying."

# How a route may wrap its commit.


async def directly(commit: Commit) -> None:
    await commit()


async def in_a_task_group(commit: Commit) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_as_coroutine(commit))


async def in_wait_for(commit: Commit) -> None:
    await asyncio.wait_for(commit(), 60)


async def in_a_task(commit: Commit) -> None:
    await asyncio.create_task(_as_coroutine(commit))


async def _as_coroutine(commit: Commit) -> None:
    await commit()


WRAPPED = [directly, in_a_task_group, in_wait_for, in_a_task]

# What commits.


async def one_write(request: Request, _session: AsyncSession | None) -> Commit:
    async def commit() -> None:
        async with units_of(request).for_writing() as unit:
            unit.products.add(new_product())
            await unit.commit()

    return commit


async def several_writes(request: Request, _session: AsyncSession | None) -> Commit:
    async def commit() -> None:
        async with units_of(request).for_writing() as unit:
            unit.products.add(new_product())
            unit.products.add(new_product(2))
            unit.products.remove(new_product(2))
            await unit.commit()

    return commit


async def own_writes_read(request: Request, _session: AsyncSession | None) -> Commit:
    async def commit() -> None:
        async with units_of(request).for_writing() as unit:
            unit.products.add(new_product())
            await unit.products.get(new_product().id)
            await unit.commit()

    return commit


async def plain_session(_request: Request, session: AsyncSession | None) -> Commit:
    assert session
    await session.execute(insert(products).values(PRODUCT_ROWS.dump(new_product())))
    return session.commit


def units_of(request: Request) -> UnitsOfWork:
    units: UnitsOfWork = request.app.state.container.units_of_work()
    return units


COMMITS = [one_write, several_writes, own_writes_read]
COMMITS_OF_SQL = [*COMMITS, plain_session]
# These end with a rollback, which queues behind a commit that is under way.
ROLL_BACK = [own_writes_read, plain_session]

# What strikes.


async def nothing_happens() -> None: ...


def fails_with(error: Exception) -> Commit:
    async def fail() -> None:
        raise error

    return fail


ERRORS: list[tuple[Exception, ProblemType]] = [
    (StorageUnavailable("gone"), DATABASE_UNAVAILABLE),
    (TransactionConflict("gave way"), TRANSACTION_CONFLICT),
    (StorageFull("full"), DATABASE_FULL),
    (RuntimeError("broken"), INTERNAL_ERROR),
]


class Trial:
    """An app with a route that commits as the test says, and what to do before and after that."""

    def __init__(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_sql = url != "memory://"
        self.gate = CommitGate(monkeypatch)
        self.before: Commit = nothing_happens
        self.after: Commit = nothing_happens
        self.wrapped = directly
        self.makes: Any = one_write
        self.is_below_middleware = False
        self.hangs = asyncio.Event()
        self._deadlines: list[Any] = []
        trial = self

        class Deadlines(request_deadline._Deadlines):
            def __init__(self, *arguments: Any) -> None:
                super().__init__(*arguments)
                trial._deadlines.append(self)

        monkeypatch.setattr(request_deadline, "_Deadlines", Deadlines)
        self.app = create_app(settings_for(url, request_deadline_seconds=60))
        self._add_routes(self.app)

    def _add_routes(self, app: FastAPI) -> None:
        async def no_session() -> None:
            return None

        dependency = get_async_session if self.is_sql else no_session

        @app.post("/commit")
        async def commit(
            request: Request, session: Annotated[Any, Depends(dependency, scope="function")]
        ) -> None:
            commit = await self.makes(request, session)
            await self.before()
            await self.wrapped(commit)
            await self.after()

        async def pass_on(request: Request, call_next: Any) -> Response:
            response: Response = await call_next(request)
            return response

        def choose(inner: ASGIApp) -> ASGIApp:
            below = BaseHTTPMiddleware(inner, pass_on)

            async def chosen(scope: Scope, receive: Receive, send: Send) -> None:
                await (below if self.is_below_middleware else inner)(scope, receive, send)

            return chosen

        # The last one is the innermost, below what the app has of its own.
        app.user_middleware.append(Middleware(choose))

    async def hang(self) -> None:
        self.hangs.set()
        await asyncio.Event().wait()

    def expire(self) -> None:
        """Have the deadline of every request pass."""
        for each in self._deadlines:
            each.pending = dict.fromkeys(each.pending, 0.0)
            each._cancel_late_ones()

    def variants(self) -> list[tuple[Any, Any, bool]]:
        return [
            (makes, wrapped, is_below)
            for makes in (COMMITS_OF_SQL if self.is_sql else COMMITS)
            for wrapped in WRAPPED
            for is_below in (False, True)
        ]


@pytest.fixture
async def trial(storage_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Trial]:
    trial = Trial(storage_url, monkeypatch)
    yield trial
    trial.gate.open()


async def check(
    trial: Trial,
    client: httpx.AsyncClient,
    strike: Callable[[asyncio.Task[httpx.Response]], Awaitable[None]],
    expected: ProblemType,
    sentence: str,
    *,
    is_gated: bool = False,
) -> None:
    """Let it strike in every variant, and compare what the response says with what is stored."""
    for makes, wrapped, is_below in trial.variants():
        trial.makes, trial.wrapped, trial.is_below_middleware = makes, wrapped, is_below
        trial.hangs.clear()
        if is_gated:
            trial.gate.close()
        request = asyncio.create_task(client.post("/commit"))
        await strike(request)
        if makes in ROLL_BACK:
            trial.gate.open()
        response = await asyncio.wait_for(request, 30)
        trial.gate.open()

        items = (await client.get(PRODUCTS)).json()
        for item in items:
            assert (await client.delete(f"{PRODUCTS}/{item['id']}")).status_code == 204
        where = (makes.__name__, wrapped.__name__, is_below)
        detail = problem_of(response, expected)["detail"]
        assert detail.endswith(sentence), where
        assert bool(items) is (sentence != NOTHING), where
        assert ("Retry-After" in response.headers) is (expected.retry_after is not None), where


async def let_it_be(_request: asyncio.Task[httpx.Response]) -> None: ...


@pytest.mark.parametrize(("error", "kind"), ERRORS, ids=lambda value: type(value).__name__)
async def test_an_error_before_the_commit(
    trial: Trial, error: Exception, kind: ProblemType
) -> None:
    trial.before = fails_with(error)
    async with client_of(trial.app) as client:
        await check(trial, client, let_it_be, kind, NOTHING)


@pytest.mark.parametrize(("error", "kind"), ERRORS, ids=lambda value: type(value).__name__)
async def test_an_error_after_the_commit(trial: Trial, error: Exception, kind: ProblemType) -> None:
    trial.after = fails_with(error)
    expected = kind if kind is INTERNAL_ERROR else FAILED_AFTER_COMMIT
    async with client_of(trial.app) as client:
        await check(trial, client, let_it_be, expected, COMMITTED)


@pytest.fixture(params=["deadline", "shutdown"])
def cancelled_by(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def cancellation(trial: Trial, by: str, moment: asyncio.Event) -> Any:
    async def strike(request: asyncio.Task[httpx.Response]) -> None:
        await asyncio.wait_for(moment.wait(), 30)
        if by == "deadline":
            trial.expire()
        else:
            request.cancel()
        await asyncio.sleep(0)  # it is on its way before anything else happens

    return strike


async def test_a_cancellation_before_the_commit(trial: Trial, cancelled_by: str) -> None:
    trial.before = trial.hang
    expected = DEADLINE_EXCEEDED if cancelled_by == "deadline" else SHUTTING_DOWN
    async with client_of(trial.app) as client:
        strike = cancellation(trial, cancelled_by, trial.hangs)
        await check(trial, client, strike, expected, NOTHING)


async def test_a_cancellation_after_the_commit(trial: Trial, cancelled_by: str) -> None:
    trial.after = trial.hang
    async with client_of(trial.app) as client:
        strike = cancellation(trial, cancelled_by, trial.hangs)
        await check(trial, client, strike, FAILED_AFTER_COMMIT, COMMITTED)


@pytest.fixture
async def sql_trial(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Trial]:
    trial = Trial(database_url, monkeypatch)
    yield trial
    trial.gate.open()


async def test_a_cancellation_in_mid_commit(sql_trial: Trial, cancelled_by: str) -> None:
    async with client_of(sql_trial.app) as client:
        strike = cancellation(sql_trial, cancelled_by, sql_trial.gate.reached)
        await check(sql_trial, client, strike, OUTCOME_UNKNOWN, UNKNOWN, is_gated=True)


async def test_a_route_that_gives_up_in_mid_commit(sql_trial: Trial) -> None:
    async def give_up(commit: Commit) -> None:
        task = asyncio.create_task(_as_coroutine(commit))
        await sql_trial.gate.reached.wait()
        task.cancel()
        await asyncio.sleep(0)
        sql_trial.hangs.set()
        await asyncio.wait([task])
        raise TimeoutError("this took too long")

    async def it_has_given_up(_request: asyncio.Task[httpx.Response]) -> None:
        await asyncio.wait_for(sql_trial.hangs.wait(), 30)

    sql_trial.variants = lambda: [  # type: ignore[method-assign]
        (makes, give_up, False) for makes in COMMITS_OF_SQL
    ]
    async with client_of(sql_trial.app) as client:
        await check(sql_trial, client, it_has_given_up, INTERNAL_ERROR, UNKNOWN, is_gated=True)
