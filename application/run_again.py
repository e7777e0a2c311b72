"""Use cases that run again when the storage had them give way to another."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import stamina

from application.errors import TransactionConflict

ATTEMPTS = 5
_P = ParamSpec("_P")
_T = TypeVar("_T")


def runs_again_after_conflict(
    use_case: Callable[_P, Awaitable[_T]],
) -> Callable[_P, Awaitable[_T]]:
    """Decorate a use case that changes something: after a `TransactionConflict`, which says that
    nothing was changed, it runs again from its start, ATTEMPTS times at most in all, with short
    pauses of random length between, so that those who met do not meet again."""
    run_again = stamina.retry(
        on=TransactionConflict,
        attempts=ATTEMPTS - 1,
        wait_initial=0.01,
        wait_max=0.1,
        wait_jitter=0.05,
    )(use_case)

    @wraps(use_case)
    async def run(*arguments: _P.args, **options: _P.kwargs) -> _T:
        try:
            # Nearly all succeed at once, and then pay for nothing.
            return await use_case(*arguments, **options)
        except TransactionConflict:
            return await run_again(*arguments, **options)

    return run
