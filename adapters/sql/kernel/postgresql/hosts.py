"""Connect to the right one of several PostgreSQL servers (`target_session_attrs`, failover)."""

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import asyncpg

from adapters.sql.kernel.addresses.postgresql_address import PostgresqlAddress
from application.kernel.errors import StorageUnavailable

GRACE_SECONDS = 0.25
"""How long a connection attempt goes on after its caller was cancelled."""


class PostgresqlHosts:
    """The servers of an address.

    They are tried in the address's order, starting with the one that responded last. So a server
    that does not respond costs its share of the time once, not for each connection.
    """

    def __init__(self, address: PostgresqlAddress) -> None:
        self._address = address
        self._first = 0

    async def connect(self, seconds: float, **options: Any) -> "asyncpg.Connection[asyncpg.Record]":
        """Return a connection within so many seconds; each host gets an equal share of the time.

        Raises asyncpg's error, or `StorageUnavailable` if only another address can fix the error.
        """
        self._check_files()
        attempts = list(self._attempts())
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while True:
            index, attributes = attempts.pop(0)
            # If the time is up or the caller is cancelled, the next call starts with another host.
            self._first = index + 1
            share = (end - loop.time()) / (len(attempts) + 1)
            try:
                connection = await self._connect(index, attributes, share, options)
            except (OSError, asyncpg.CannotConnectNowError) as error:
                if not attempts:
                    raise _named(error) or error from None
            except asyncpg.TargetServerAttributeNotMatched:
                if not attempts:
                    raise StorageUnavailable(
                        f"no host of the database is {attributes}, as its address wants"
                    ) from None
            except asyncpg.ClientConfigurationError as error:
                raise _named(error) or error from None
            else:
                self._first = index
                return connection

    def _attempts(self) -> Iterator[tuple[int, str | None]]:
        """Yield the index of each host to try, and the session attributes to require."""
        wanted = self._address.target_session_attrs
        # With one host at a time, asyncpg would accept the first.
        tiers = ("standby", "any") if wanted == "prefer-standby" else (wanted,)
        count = max(1, len(self._address.hosts))
        for tier in tiers:
            for offset in range(count):
                yield (self._first + offset) % count, tier

    async def _connect(
        self, index: int, attributes: str | None, seconds: float, options: dict[str, Any]
    ) -> "asyncpg.Connection[asyncpg.Record]":
        host, port = self._address.hosts[index] if self._address.hosts else (None, None)
        return await _unless_cancelled(
            asyncio.ensure_future(
                asyncpg.connect(
                    **self._address.arguments,
                    host=host,
                    port=port,
                    target_session_attrs=attributes,  # type: ignore[arg-type]
                    timeout=max(seconds, 0.001),
                    **options,
                )
            )
        )

    def _check_files(self) -> None:
        for name, path in self._address.files.items():
            if not os.access(path, os.R_OK):
                raise StorageUnavailable(
                    f"the file that {name} of the database's address names cannot be read"
                )


async def _unless_cancelled(
    connecting: "asyncio.Future[asyncpg.Connection[asyncpg.Record]]",
) -> "asyncpg.Connection[asyncpg.Record]":
    """Return the connection. If the caller is cancelled, cancel the attempt a moment later: if
    asyncpg is cancelled between connecting and the server's first message, the event loop logs
    "Future exception was never retrieved"."""
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        connecting.add_done_callback(_terminate)
        asyncio.get_running_loop().call_later(GRACE_SECONDS, connecting.cancel)
        raise


def _terminate(connecting: "asyncio.Future[asyncpg.Connection[asyncpg.Record]]") -> None:
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().terminate()


def _named(error: Exception) -> StorageUnavailable | None:
    """Return the error to raise instead of one that asyncpg distinguishes only by its text."""
    if "rejected SSL upgrade" in str(error):
        return StorageUnavailable(
            "the database's server has no TLS, which sslmode of its address requires"
        )
    if "root certificate file" in str(error):
        return StorageUnavailable(
            "no root certificate to check the database's server with: name its file by sslrootcert "
            "in the address, or write sslrootcert=system"
        )
    return None
