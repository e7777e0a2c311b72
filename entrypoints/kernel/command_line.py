"""The command line: `python -m entrypoints --help`."""

import argparse
import logging
import pkgutil
import re
import signal
import sys
from collections.abc import Sequence

from entrypoints.kernel.api_keys import READ, WRITE, ApiKeys, new_key
from entrypoints.kernel.app_start import app_for_own_server, log_unknown_settings
from entrypoints.kernel.logging import configure_logging
from entrypoints.kernel.loopback import KEYS_NEEDED, is_loopback
from entrypoints.kernel.project import project
from entrypoints.kernel.server.config import ServerConfig
from entrypoints.kernel.server.server import run
from entrypoints.kernel.server.supervisor import run_workers
from entrypoints.kernel.server.worker import run_worker
from entrypoints.kernel.service_settings import (
    InvalidSettings,
    ServiceSettings,
    settings_from_environment,
)

_PROTECT = "for the service alone to read (chmod 600)"


def run_command(
    kind: type[ServiceSettings],
    app: str,
    arguments: Sequence[str] | None = None,
    program: str = "entrypoints",
) -> int:
    """Run a command and return its exit status.

    `kind` is the class of the app's settings. `app` is the function that creates the app from them,
    as `package.module:function`; only the commands that serve import it. `arguments` are by default
    those of the process. `program` is the module that `python -m` runs.
    """
    parser = _parser(program)
    parser.set_defaults(app=app, program=program)
    options = parser.parse_args(arguments)
    try:
        return int(options.command(settings_from_environment(kind), options))
    except InvalidSettings as error:
        print(error, file=sys.stderr)
        return 2


def serve(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Serve HTTP until a signal ends it."""
    if reason := _why_not(settings):
        print(reason, file=sys.stderr)
        return 2
    configure_logging()
    log_unknown_settings(type(settings))
    # After its shutdown on a signal, the server raises the signal again: that is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    config = _config(settings, options)
    return run_workers(config) if settings.workers > 1 else run(config)


def worker(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Serve as one of the processes that `serve` starts."""
    configure_logging()
    return run_worker(_config(settings, options), options.line, *options.listeners)


def _config(settings: ServiceSettings, options: argparse.Namespace) -> ServerConfig:
    return ServerConfig(
        settings,
        lambda: app_for_own_server(settings, pkgutil.resolve_name(options.app)),
        options.program,
    )


def make_key(_settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Print a new key, which is stored nowhere, and its line for the file of keys."""
    key, line = new_key(options.key_name, options.scope)
    print(f"The key of {options.key_name}, which is shown only once:\n{key}\n", file=sys.stderr)
    if sys.stdout.isatty():
        print(f"Add this line to the file that APP_API_KEYS names, {_PROTECT}:", file=sys.stderr)
    else:
        print(
            f"Its line, with the hash, went to standard output. The file of keys is {_PROTECT}.",
            file=sys.stderr,
        )
    print(line)
    return 0


def _why_not(settings: ServiceSettings) -> str | None:
    """Return why the service must not start with these settings, or None."""
    if settings.api_keys:
        ApiKeys(settings.api_keys)  # raises if the file cannot be used
    elif not settings.allow_anonymous and not is_loopback(settings.host):
        return f"APP_HOST is {settings.host}, {KEYS_NEEDED}"
    return None


def database(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Run a database command. Only its result goes to standard output."""
    configure_logging(sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Only these commands need Alembic.
    from entrypoints.kernel import database_commands  # noqa: PLC0415

    if settings.uses_memory:
        print("APP_DATABASE_URL is memory://, which has no schema.", file=sys.stderr)
        return 2
    command = getattr(database_commands, options.name)
    return database_commands.run(command, settings, options)


def _one_word(text: str) -> str:
    if not re.fullmatch(r"[^\s#]\S*", text):
        raise argparse.ArgumentTypeError("a name is one word")
    return text


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {program}",
        description=f"{project().description}. Settings come from the environment (APP_...) and "
        "from .env; see .env.example.",
    )
    parser.set_defaults(command=serve)
    commands = parser.add_subparsers(title="commands", metavar="command")
    commands.add_parser("serve", help="serve HTTP (the default command)").set_defaults(
        command=serve
    )
    # Users do not need it: without a help text, it is not listed.
    of_supervisor = commands.add_parser("worker")
    of_supervisor.add_argument("line", type=int)
    of_supervisor.add_argument("listeners", type=int, nargs="+")
    of_supervisor.set_defaults(command=worker)
    key = commands.add_parser("key", help="create an API key for a client")
    key.add_argument("key_name", metavar="name", type=_one_word, help="name of the client")
    key.add_argument("scope", choices=(READ, WRITE), help="read, or read and write")
    key.set_defaults(command=make_key)
    db = commands.add_parser("db", help="migrate the database: up, down, status, new revision")
    names = db.add_subparsers(title="commands", metavar="command", required=True)
    upgrade = _add(names, "upgrade", "migrate up to the newest or to the given revision")
    upgrade.add_argument("revision", nargs="?", help="the revision to migrate up to")
    downgrade = _add(
        names, "downgrade", "migrate down to the given revision or by one step; this can drop data"
    )
    downgrade.add_argument("revision", nargs="?", help="the revision to migrate down to")
    downgrade.add_argument(
        "--yes", action="store_true", help="migrate down by one step without asking"
    )
    current = _add(names, "current", "print the revision of the database and the newest one")
    current.add_argument(
        "--check", action="store_true", help="exit with status 1 if the database has to be migrated"
    )
    revision = _add(
        names,
        "revision",
        "write a migration from the difference between the database and the tables",
    )
    revision.add_argument(
        "message", help="the title of the migration, such as 'add a price to books'"
    )
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help_text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help_text, description=help_text)
    parser.set_defaults(command=database, name=name)
    return parser
