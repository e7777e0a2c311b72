"""How connections to PostgreSQL are made."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import asyncpg

from adapters.sql.kernel.addresses.postgresql_address import PostgresqlAddress
from adapters.sql.kernel.postgresql.hosts import PostgresqlHosts
from adapters.sql.kernel.postgresql.tcp_keepalive import SERVER_SETTINGS, keep_alive
from application.kernel.errors import StorageUnavailable

# A refusal by the server says that nothing was changed; the end of the request's own time leaves
# that open. So the server comes first, and a lock leaves some time for the statement behind it.
STATEMENT_SHARE = 0.8
LOCK_SHARE = 0.6

_log = logging.getLogger(__name__)


class RouteChanged(StorageUnavailable):
    """What is between here and the server is not what it was taken for: connect anew."""


class LimitedConnect:
    """Connects to the server of an address, for statements that have to end within a deadline, in
    seconds.

    The server ends what lasts longer. `command_timeout` is for a server that does not respond at
    all.

    A connection pooler, such as PgBouncer, may give each transaction another of the server's
    connections, where a statement that was prepared before is not known. It makes up the process
    id that it gives as the server's, which shows that it is there. Then no statement is kept
    prepared, unless the address says by `statement_cache_size` that the pooler can do that. It
    also rejects limits, or ignores them: then they are left to the role.
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
        """Options of SQLAlchemy's dialect, which keeps prepared statements of its own."""
        if self._address.statement_cache_size is None and self._is_pooled:
            return {"prepared_statement_cache_size": 0}
        size = self._address.prepared_statement_cache_size
        return {} if size is None else {"prepared_statement_cache_size": size}

    async def __call__(self, *_: Any, **__: Any) -> Any:
        """Return a connection.

        Raises `RouteChanged` when it should be tried once more.
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
            self._is_pooled = True  # most likely, and the next connection shows whether it is so

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
    """Return whether it is so, without a prepared statement: the status of what has no parameters
    holds the number of rows."""
    return await connection.execute(f"SELECT WHERE {condition}") == "SELECT 1"


def _check_encoding(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Raise `StorageUnavailable` unless the database stores all characters. A pooler may not pass
    the name of the encoding on."""
    encoding = getattr(connection.get_settings(), "server_encoding", "UTF8")
    if encoding != "UTF8":
        raise StorageUnavailable(
            f"the database's encoding is {encoding}, which cannot store every text: create it anew "
            "by CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
        )


def _milliseconds(seconds: float) -> str:
    # 0 would mean without limit.
    return str(max(1, round(seconds * 1000)))
