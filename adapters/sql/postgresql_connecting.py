"""How connections to PostgreSQL are made."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import asyncpg

# A refusal by the server says that nothing was changed; the end of the request's own time leaves
# that open. So the server comes first, and a lock leaves some time for the statement behind it.
STATEMENT_SHARE = 0.8
LOCK_SHARE = 0.6
# What makes PostgreSQL write a time as ISO 8601 in UTC, whatever the server is set to.
TIMES_AS_TEXT = {"datestyle": "ISO", "timezone": "UTC"}

_log = logging.getLogger(__name__)


class LimitedConnect:
    """asyncpg's `connect`, for statements that have to end within a deadline, in seconds.

    The server ends what lasts longer. `command_timeout` is for a server that does not answer at
    all. PgBouncer refuses the server's limits: then connections are made without.
    """

    def __init__(self, deadline: float, connect_timeout: float) -> None:
        self._timeouts = {"timeout": connect_timeout, "command_timeout": deadline}
        self._limits = {
            "statement_timeout": _milliseconds(deadline * STATEMENT_SHARE),
            "lock_timeout": _milliseconds(deadline * LOCK_SHARE),
            "idle_in_transaction_session_timeout": _milliseconds(deadline),
        }

    async def __call__(self, *arguments: Any, **options: Any) -> Any:
        options = {**self._timeouts, **options}
        if self._limits:
            try:
                return await _connect(self._limits, *arguments, **options)
            except asyncpg.ProtocolViolationError as error:
                if "startup parameter" not in str(error):
                    raise
                self._limits = {}
                _log.warning(
                    "what is between here and PostgreSQL takes no settings: "
                    "give the role statement_timeout and lock_timeout by ALTER ROLE ... SET"
                )
        return await _connect({}, *arguments, **options)


async def _connect(limits: Mapping[str, str], *arguments: Any, **options: Any) -> Any:
    """Return a connection on which times travel as text, which Python reads ten times faster than
    asyncpg its binary form: a page of 50 items holds a hundred times."""
    connection = await asyncpg.connect(
        *arguments, server_settings={**TIMES_AS_TEXT, **limits}, **options
    )
    try:
        await connection.set_type_codec(
            "timestamptz",
            schema="pg_catalog",
            encoder=datetime.isoformat,
            decoder=datetime.fromisoformat,
        )
    except BaseException:
        connection.terminate()
        raise
    return connection


def _milliseconds(seconds: float) -> str:
    # 0 would mean without limit.
    return str(max(1, round(seconds * 1000)))
