"""The list of guards: each is a piece of the kernel's code, and a change that removes it."""

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
LIST = Path(__file__).with_name("guards.toml")


class StaleGuard(Exception):
    """An entry of the list does not fit the code any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    name: str
    file: str
    text: str
    """The code to replace. It occurs exactly once in the file."""
    replacement: str
    tests: tuple[str, ...]
    """The pytest node ids of the tests of which at least one must fail without the guard."""
    reason: str | None = None
    """Why no test fails without it, for a guard whose removal no test can notice."""

    def removed_from(self, source: str) -> str:
        """Return the source of its file without the guard.

        Raises `StaleGuard` if the text does not occur exactly once.
        """
        count = source.count(self.text)
        if count != 1:
            raise StaleGuard(
                f"{self.name}: its text occurs {count} times in {self.file}; "
                f"change its entry in {LIST.name}"
            )
        return source.replace(self.text, self.replacement)


def all_guards() -> list[Guard]:
    with LIST.open("rb") as file:
        entries = tomllib.load(file)["guard"]
    return [Guard(**{**each, "tests": tuple(each["tests"])}) for each in entries]


def check(guard: Guard) -> None:
    """Raise `StaleGuard` unless the guard's text, its replacement and its tests fit the code."""
    changed = guard.removed_from((ROOT / guard.file).read_text(encoding="utf-8"))
    try:
        ast.parse(changed)
    except SyntaxError as error:
        raise StaleGuard(f"{guard.name}: its replacement is not valid Python: {error}") from error
    for test in guard.tests:
        file, *names = test.partition("[")[0].split("::")
        if not (ROOT / file).is_file() or not _defines(ROOT / file, names):
            raise StaleGuard(f"{guard.name}: there is no test {test}")


def _defines(file: Path, names: list[str]) -> bool:
    """Return whether a module has this function, or this class with this method."""
    scope: ast.AST = ast.parse(file.read_bytes())
    for name in names:
        found = [
            each
            for each in ast.iter_child_nodes(scope)
            if isinstance(each, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and each.name == name
        ]
        if not found:
            return False
        scope = found[0]
    return True
