"""`db upgrade` with a test's own migrations: `python -m tests.migrations.upgrade_with DIR`."""

import sys
from pathlib import Path

import pytest

from entrypoints.__main__ import main
from tests.migrations.own_migrations import use_migrations_of

if __name__ == "__main__":
    use_migrations_of(Path(sys.argv[1]), pytest.MonkeyPatch())
    sys.exit(main(["db", "upgrade"]))
