"""Connect to PostgreSQL, with server-side timeouts and detection of a connection pooler."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import asyncpg

from adapters.sql.kernel.addresses.postgresql_address import PostgresqlAddress
from adapters.sql.kernel.postgresql.hosts import PostgresqlHosts
from adapters.sql.kernel.postgresql.tcp_keepalive import SERVER_SETTINGS, keep_alive
from application.kernel.errors import StorageUnavailable

# Shares of the request deadline. A timeout that the server reports means that nothing was changed,
# the request's own timeout leaves that open: so the server's come first. A statement that waited
# for a lock needs time to run after that.
STATEMENT_SHARE = 0.8
LOCK_SHARE = 0.6

_log = logging.getLogger(__name__)


class RouteChanged(StorageUnavailable):
    """The route to the server (limits, pooler) differs from the assumed one: connect again."""


class LimitedConnect:
    """Connects to the server of an address with timeouts that fit the request deadline, in seconds.

    The server cancels a statement or a wait for a lock that takes too long (`statement_timeout`,
    `lock_timeout`). asyncpg's `command_timeout` covers a server that does not respond at all.

    A connection pooler such as PgBouncer can execute each transaction on another connection of the
    server, where a prepared statement of an earlier one does not exist. A pooler is detected by the
    backend process id that it reports, which is made up. Behind a pooler no prepared statements
    are cached, unless the address sets `statement_cache_size`. A pooler also rejects or ignores
    the timeouts: then they have to be set for the role.
    """

    def __init__(
        self, address: PostgresqlAddress, deadline: float, connect_timeout: float, name: str
    ) -> None:
        self._address = address
        self._hosts = PostgresqlHosts(address)
        self._seconds = connect_timeout
        if address.connect_timeout is not None:
            self._seconds = min(address.connect_timeout or deadline, deadline)
        self._deadline = deadline
        self._settings = {"application_name": name, **address.server_settings}
        self._limits = {
            "statement_timeout": _milliseconds(deadline * STATEMENT_SHARE),
            "lock_timeout": _milliseconds(deadline * LOCK_SHARE),
            "idle_in_transaction_session_timeout": _milliseconds(deadline),
            **SERVER_SETTINGS,
        }
        self._is_pooled = self._is_logged = self._are_limits_known = False

    @property
    def for_sqlalchemy(self) -> Mapping[str, int]:
        """Options for SQLAlchemy's dialect, which has a prepared statement cache of its own."""
        if self._address.statement_cache_size is None and self._is_pooled:
            return {"prepared_statement_cache_size": 0}
        size = self._address.prepared_statement_cache_size
        return {} if size is None else {"prepared_statement_cache_size": size}

    async def __call__(self, *_: Any, **__: Any) -> Any:
        """Return a connection.

        Raises `RouteChanged` if the caller should connect once more.
        """
        async with asyncio.timeout(self._seconds):
            limits, is_pooled = self._limits, self._is_pooled
            try:
                connection = await self._hosts.connect(
                    self._seconds,
                    command_timeout=self._deadline,
                    server_settings={**self._settings, **limits},
                    **self._cache,
                )
            except asyncpg.ProtocolViolationError as error:
                if "startup parameter" not in str(error):
                    raise
                self._leave_out(limits)
                raise RouteChanged from error
            try:
                if self._address.statement_cache_size is None:
                    await self._look_for_a_pooler(connection, is_pooled)
                _check_encoding(connection)
                await self._look_for_limits(connection)
                keep_alive(connection, self._deadline)
            except BaseException:
                connection.terminate()
                raise
            return connection

    @property
    def _cache(self) -> Mapping[str, int]:
        size = self._address.statement_cache_size
        if size is None:
            return {"statement_cache_size": 0} if self._is_pooled else {}
        return {"statement_cache_size": size}

    def _leave_out(self, limits: Mapping[str, str]) -> None:
        if not limits:
            raise StorageUnavailable(
                "a pooler rejects a parameter of the database's address: application_name or "
                "options; name it in the pooler's ignore_startup_parameters, or leave it out"
            )
        if self._limits:
            self._limits = {}
            self._is_pooled = True  # most likely; the next connection shows whether that is true

    async def _look_for_a_pooler(
        self, connection: "asyncpg.Connection[asyncpg.Record]", was_assumed: bool
    ) -> None:
        is_pooled = not await _holds(
            connection, f"pg_backend_pid() = {connection.get_server_pid()}"
        )
        if is_pooled and not self._is_logged:
            _log.warning(
                "a connection pooler is between here and PostgreSQL: no statement is kept "
                "prepared; if the pooler keeps them, add statement_cache_size=100 to "
                "APP_DATABASE_URL"
            )
        self._is_logged = is_pooled
        self._is_pooled = is_pooled
        if is_pooled != was_assumed:
            raise RouteChanged

    async def _look_for_limits(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        if self._are_limits_known:
            return
        if not await _holds(connection, "current_setting('statement_timeout') <> '0'"):
            _log.warning(
                "no limit to the time of a statement reaches PostgreSQL, as through a pooler: "
                "give the role statement_timeout and lock_timeout by ALTER ROLE ... SET"
            )
        self._are_limits_known = True


async def _holds(connection: "asyncpg.Connection[asyncpg.Record]", condition: str) -> bool:
    """Return whether the condition is true. A statement without parameters is not prepared, and its
    command status has the number of rows."""
    return await connection.execute(f"SELECT WHERE {condition}") == "SELECT 1"


def _check_encoding(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Raise `StorageUnavailable` unless the database can store all of Unicode. A pooler may not
    report the encoding."""
    encoding = getattr(connection.get_settings(), "server_encoding", "UTF8")
    if encoding != "UTF8":
        raise StorageUnavailable(
            f"the database's encoding is {encoding}, which cannot store every text: create it anew "
            "by CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
        )


def _milliseconds(seconds: float) -> str:
    # 0 would mean no limit.
    return str(max(1, round(seconds * 1000)))
