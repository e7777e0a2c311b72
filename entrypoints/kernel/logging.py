"""Log lines on standard output: JSON in a pipe or a file, readable on a terminal."""

import io
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any, BinaryIO, TextIO, cast

import orjson
import stamina
import structlog
from stamina.instrumentation import RetryDetails
from structlog.typing import EventDict, Processor

from entrypoints.kernel.log_stream import LogStream


def _add_time(_logger: object, _method: str, event: EventDict) -> EventDict:
    # structlog's own makes the text here, which takes Python ten times as long as it takes orjson.
    event["timestamp"] = datetime.now(UTC)
    return event


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    _add_time,
]
_AS_JSON: dict[str, Any] = {"default": str, "option": orjson.OPT_UTC_Z}


def configure_logging(output: TextIO | None = None) -> None:
    """Send structlog's lines, and those of libraries that use `logging`, to the output, which is
    standard output if none is named. A line that cannot be written is dropped (`LogStream`)."""
    stream = cast(BinaryIO, LogStream(_descriptor(output or sys.stdout), _notice))
    terminal = stream.isatty()
    text = io.TextIOWrapper(stream, "utf-8", "backslashreplace", write_through=True)
    # Local variables may hold passwords and bodies, so a traceback never shows them.
    traceback: list[Processor] = (
        []
        if terminal
        else [
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            )
        ]
    )
    render: Processor = (
        structlog.dev.ConsoleRenderer(
            exception_formatter=structlog.dev.plain_traceback,
        )
        if terminal
        else structlog.processors.JSONRenderer(serializer=orjson.dumps, **_AS_JSON)
    )
    structlog.configure(
        processors=[*_SHARED, *traceback, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=(
            structlog.PrintLoggerFactory(text) if terminal else structlog.BytesLoggerFactory(stream)
        ),
        cache_logger_on_first_use=True,
    )
    # The hooks that come with stamina log a use case's arguments, which are the client's words.
    stamina.instrumentation.set_on_retry_hooks([_tell_of_retry])
    handler = logging.StreamHandler(text)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *traceback,
                render
                if terminal
                else structlog.processors.JSONRenderer(serializer=_dumps, **_AS_JSON),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # Alembic tells of each of its parts that it found.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    # SQLAlchemy brings a handler of its own for `echo` where there is none.
    logging.getLogger("sqlalchemy.engine.Engine").addHandler(logging.NullHandler())


def _tell_of_retry(details: RetryDetails) -> None:
    structlog.get_logger("application").info(
        "use case runs again",
        use_case=details.name.rpartition(".")[2],
        because=type(details.caused_by).__name__,
    )


def _descriptor(output: TextIO | None) -> int:
    """Return the output's file descriptor, that of the null device if it has none: a process may
    be started with its standard output closed."""
    return os.open(os.devnull, os.O_WRONLY) if output is None else output.fileno()


def _notice(lines: int, reason: str) -> bytes:
    event = {
        "event": "log lines were dropped",
        "lines": lines,
        "reason": reason,
        "level": "error",
        "timestamp": datetime.now(UTC),
    }
    return orjson.dumps(event, **_AS_JSON) + b"\n"


def _dumps(value: Any, **options: Any) -> str:
    return orjson.dumps(value, **options).decode()
