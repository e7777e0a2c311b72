"""`db upgrade` with a test's own migrations.

`python -m tests.kernel.migrations.upgrade_with DIRECTORY`
"""

import sys
from pathlib import Path

import pytest

from entrypoints.__main__ import main
from tests.kernel.migrations.own_migrations import use_migrations_of

if __name__ == "__main__":
    use_migrations_of(Path(sys.argv[1]), pytest.MonkeyPatch())
    sys.exit(main(["db", "upgrade"]))
