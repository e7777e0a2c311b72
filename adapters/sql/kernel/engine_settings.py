"""Settings and helpers that the engines of both databases share."""

from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any, Protocol

from pydantic import SecretStr

from adapters.sql.kernel.errors.driver_errors import cannot_connect
from application.kernel.errors import StorageUnavailable

# The pool timeout as a share of the request deadline. A request that gets a connection must have
# time left to use it: a request that is cancelled within a statement also costs the connection.
WAIT_SHARE = 0.4
LONGEST_WAIT_SECONDS = 2.0
# The value of `pool_reset_on_return`. A connection returns to the pool without an open transaction:
# a session ends its transaction when it closes, a unit of work before it releases the connection.
NOTHING_TO_RESET = None


class DatabaseSettings(Protocol):
    """The settings that an engine needs."""

    @property
    def database_url(self) -> SecretStr: ...

    @property
    def database_pool_size(self) -> int: ...

    @property
    def database_connection_max_age_seconds(self) -> int: ...

    @property
    def database_echo(self) -> bool: ...

    @property
    def service_name(self) -> str: ...

    @property
    def request_deadline_seconds(self) -> float: ...


def longest_wait(deadline: float) -> float:
    """Return the pool timeout for a request deadline, both in seconds."""
    return min(LONGEST_WAIT_SECONDS, WAIT_SHARE * deadline)


class DroppableConnect:
    """An awaitable that connects when it is awaited, and may be dropped without being awaited.

    The pool can find out that it must not wait after it has called the creator. A coroutine that
    is never awaited would cause a warning then.

    Awaiting it raises `StorageUnavailable` for every error.
    """

    def __init__(
        self, connect: Callable[..., Awaitable[Any]], *arguments: Any, **options: Any
    ) -> None:
        self._connect = partial(connect, *arguments, **options)

    def __await__(self) -> Generator[Any, None, Any]:
        try:
            return (yield from self._connect().__await__())
        except StorageUnavailable:
            raise
        except Exception as error:
            raise cannot_connect(error) from error
