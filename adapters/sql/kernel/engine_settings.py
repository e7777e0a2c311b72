"""What the engines of both databases are built from."""

from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any, Protocol

from pydantic import SecretStr

from adapters.sql.kernel.errors.driver_errors import cannot_connect
from application.kernel.errors import StorageUnavailable

# A connection is waited for so much of the deadline, so that who gets one can still use it: who is
# cancelled in a statement costs the connection as well.
WAIT_SHARE = 0.4
LONGEST_WAIT_SECONDS = 2.0
# A connection comes back with nothing open: sessions end their transaction when they close, units
# of work before they give it back.
NOTHING_TO_RESET = None


class DatabaseSettings(Protocol):
    """The settings that an engine is built from."""

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
    """Return how long to wait for a connection, in seconds."""
    return min(LONGEST_WAIT_SECONDS, WAIT_SHARE * deadline)


class DroppableConnect:
    """A connect that may be dropped: the pool may find out that it cannot wait only when it has it
    in its hands, and a coroutine that is never awaited gives a warning.

    Raises `StorageUnavailable` for whatever goes wrong.
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
