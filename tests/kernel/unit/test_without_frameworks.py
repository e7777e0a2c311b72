import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernel.unit.use_cases_without_frameworks import FRAMEWORKS, FrameworkBlock

ROOT = Path(__file__).parents[3]


def test_all_use_cases_run_where_no_framework_can_be_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.kernel.unit.use_cases_without_frameworks"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "all use cases done\n", "")


def test_frameworks_are_rejected_there() -> None:
    for name in (*FRAMEWORKS, "sqlalchemy.ext.asyncio"):
        with pytest.raises(ImportError, match="is a framework"):
            FrameworkBlock().find_spec(name, None)
    assert FrameworkBlock().find_spec("domain", None) is None
