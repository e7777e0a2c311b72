"""docs/observing.md lists every event that the service logs, and no other."""

import ast
import re
from collections.abc import Iterator

from tests.documents.test_references import ROOT

PAGE = (ROOT / "docs" / "observing.md").read_text("utf-8")
ROW = re.compile(r"^\| `([^`]+)` \| (info|warning|error|critical) \|", re.MULTILINE)
LEVELS = {"info", "warning", "error", "critical", "exception"}
# Made without structlog, for a log that cannot be written.
OF_THE_STREAM = {("log lines were dropped", "error")}


def test_the_page_has_a_row_for_each_event_with_its_level() -> None:
    assert set(ROW.findall(PAGE)) == set(_events()) | OF_THE_STREAM


def _events() -> Iterator[tuple[str, str]]:
    for layer in ("entrypoints", "application"):
        for file in (ROOT / layer).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in LEVELS
                    and _is_structlog(node.func.value)
                    and node.args
                    and isinstance(node.args[0], ast.Constant)
                ):
                    level = node.func.attr.replace("exception", "error")
                    yield str(node.args[0].value), level


def _is_structlog(logger: ast.expr) -> bool:
    return ast.unparse(logger) in {"_log", "structlog.get_logger('application')"}
