"""What a request has committed is noted in one object, wherever in the request it is committed."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext

import pytest

from application.kernel.commits import COMMITS, Commits, Committing, Outcome
from application.kernel.errors import OutcomeUnknown, StorageFull, TransactionConflict


@pytest.fixture
def commits() -> Commits:
    return Commits()


def commit(error: BaseException | None = None) -> None:
    with pytest.raises(type(error)) if error else nullcontext(), Committing(ValueError):
        if error:
            raise error


@pytest.mark.parametrize(
    ("errors", "outcome"),
    [
        ([], Outcome.NOTHING),
        ([None], Outcome.COMMITTED),
        ([TransactionConflict("again")], Outcome.NOTHING),
        ([TransactionConflict("again"), None], Outcome.COMMITTED),
        ([None, StorageFull("full")], Outcome.COMMITTED),
        ([ValueError("refused")], Outcome.NOTHING),
        ([OutcomeUnknown("lost")], Outcome.UNKNOWN),
        ([asyncio.CancelledError()], Outcome.UNKNOWN),
        ([RuntimeError("broken")], Outcome.UNKNOWN),
        ([None, OutcomeUnknown("lost")], Outcome.UNKNOWN),
        ([OutcomeUnknown("lost"), None], Outcome.UNKNOWN),
    ],
    ids=str,
)
async def test_an_outcome_is_that_of_all_commits(
    commits: Commits, errors: list[BaseException | None], outcome: Outcome
) -> None:
    COMMITS.set(commits)
    for error in errors:
        commit(error)

    assert commits.outcome is outcome


async def test_it_is_unknown_while_a_commit_is_under_way(commits: Commits) -> None:
    COMMITS.set(commits)
    with Committing():
        assert commits.outcome is Outcome.UNKNOWN


async def in_a_task_group(work: Callable[[], None]) -> None:
    async def child() -> None:
        work()

    async with asyncio.TaskGroup() as group:
        group.create_task(child())


async def in_a_thread(work: Callable[[], None]) -> None:
    await asyncio.to_thread(work)


@pytest.mark.parametrize("wrapped", [in_a_task_group, in_a_thread])
async def test_a_child_notes_it_for_its_parent(
    commits: Commits, wrapped: Callable[[Callable[[], None]], object]
) -> None:
    COMMITS.set(commits)
    await wrapped(commit)  # type: ignore[misc]

    assert commits.outcome is Outcome.COMMITTED
