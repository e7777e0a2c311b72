"""Only its own files, the registrations and its migration mention the example."""

import re

from tests.kernel.processes.environment import ROOT

# Keywords of OpenAPI, pydantic and hypothesis, a file's name and the names that are reserved for
# documentation (RFC 2606).
OTHER = re.compile(r"max_examples|\bexamples\b|\"Examples\"|\.env\.example|example\.org")
ITS_OWN = ("example_item", "adapters/sql/migrations/versions/")
REGISTRATIONS = {
    "application/unit_of_work.py",
    "adapters/memory/unit_of_work.py",
    "adapters/sql/unit_of_work.py",
    "entrypoints/container.py",
    "entrypoints/http/routers.py",
}
FOLDERS = ("adapters", "application", "benchmarks", "domain", "entrypoints", "tests")


def test_no_other_file_mentions_the_example() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if "example" in OTHER.sub("", path.read_text("utf-8")).lower()
    }

    others = {path for path in found if not any(name in path for name in ITS_OWN)}
    assert others - {"benchmarks/resource.py"} == REGISTRATIONS
