"""Retry use cases after a conflict with another change."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import stamina

from application.kernel.errors import StaleVersion, TransactionConflict

ATTEMPTS = 10
_CONFLICTS = (TransactionConflict, StaleVersion)
_P = ParamSpec("_P")
_T = TypeVar("_T")


def retry_on_conflict(
    use_case: Callable[_P, Awaitable[_T]],
) -> Callable[_P, Awaitable[_T]]:
    """Decorate a use case that changes something, so that it is retried from its start after a
    `TransactionConflict` or a `StaleVersion`, which both mean that nothing was changed.

    It runs ATTEMPTS times at most. Between two attempts is a short pause of random length, so that
    the same two changes do not collide again."""
    retry = stamina.retry(
        on=_CONFLICTS,
        attempts=ATTEMPTS - 1,
        wait_initial=0.01,
        wait_max=0.3,
        wait_jitter=0.1,
    )(use_case)

    @wraps(use_case)
    async def run(*arguments: _P.args, **options: _P.kwargs) -> _T:
        try:
            # Most calls succeed at once, and then skip the cost of the retry wrapper.
            return await use_case(*arguments, **options)
        except _CONFLICTS:
            return await retry(*arguments, **options)

    return run
