"""Make a tree without the example, and with the books of docs/your-own-domain.md in its place.

`python -m tests.example_items.documents.without_example FOLDER` makes one in a folder that is not
there yet. `make check` passes in it, in as much time as here.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.kernel.processes.environment import ROOT

PAGE = (ROOT / "docs" / "your-own-domain.md").read_text("utf-8")
FILE = re.compile(r"^`([\w/.]+)`\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REMOVAL = re.compile(r"^(git rm .*?)^```$", re.MULTILINE | re.DOTALL)
VERSIONS = "adapters/sql/migrations/versions"
# The page names the tables to grant rights on.
REGISTRATIONS = (
    "SECURITY.md",
    "application/unit_of_work.py",
    "adapters/memory/unit_of_work.py",
    "adapters/sql/unit_of_work.py",
    "entrypoints/container.py",
    "entrypoints/http/routers.py",
)
NAMES = {
    "example_items": "books",
    "example_item_service": "book_service",
    "ExampleItems": "Books",
    "ExampleItem": "Book",
}


def tree_without_example(tree: Path, *, with_its_migration: bool = False) -> None:
    """Make the tree, as a team that follows the page does."""
    _copy_project(tree)
    code, migration = REMOVAL.findall(PAGE)
    run(tree, "sh", "-ec", code)
    if not with_its_migration:
        run(tree, "sh", "-ec", migration)
        _make_the_next_migration_the_first(tree)
    for path, content in FILE.findall(PAGE):
        file = tree / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(content, "utf-8")
        if not path.startswith("tests"):
            (file.parent / "__init__.py").touch()
    for path in REGISTRATIONS:
        text = (tree / path).read_text("utf-8")
        for example, own in NAMES.items():
            text = text.replace(example, own)
        (tree / path).write_text(text, "utf-8")
    run(tree, sys.executable, "-m", "entrypoints", "db", "revision", "create books")


def run(tree: Path, *command: str) -> str:
    """Return what the command prints in the tree; raise `AssertionError` if it fails."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("APP_", "PYTEST_", "MAKE", "PYTHONPATH"))
    }
    ended = subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout[-10_000:] + ended.stderr[-5_000:]
    return ended.stdout


def _copy_project(tree: Path) -> None:
    """Copy what Git has of the project, or would have at the next commit."""
    files = run(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, files.split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    run(tree, "git", "init", "--quiet")
    run(tree, "git", "add", ".")
    author = ("-c", "user.name=team", "-c", "user.email=team@example.org")
    run(tree, "git", *author, "-c", "commit.gpgsign=false", "commit", "--quiet", "-m", "Begin")
    (tree / ".venv").symlink_to(sys.prefix)


def _make_the_next_migration_the_first(tree: Path) -> None:
    first = min((tree / VERSIONS).glob("*.py"))
    text = first.read_text("utf-8")
    first.write_text(re.sub("^down_revision = .*", "down_revision = None", text, flags=re.M))


if __name__ == "__main__":
    folder = Path(sys.argv[1]).absolute()
    folder.mkdir(parents=True)
    tree_without_example(folder)
