"""Use cases that are retried when another change came between."""

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
    """Decorate a use case that changes something: after a `TransactionConflict` or a
    `StaleVersion`, which say that nothing was changed, it is retried from its start, ATTEMPTS times
    at most in all, with short pauses of random length between, so that those that met do not meet
    again."""
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
            # Nearly all succeed at once, and then pay for nothing.
            return await use_case(*arguments, **options)
        except _CONFLICTS:
            return await retry(*arguments, **options)

    return run
