"""docs/problems.md and the code have the same problem types."""

import re

from entrypoints.http.kernel.problems.problem_types import PREFIX, PROBLEM_TYPES
from tests.documents.test_references import ROOT

ROW = re.compile(r"^\| `([\w:-]+)` \| (\d{3}) \| ([^|]+) \| (.+) \|$", re.MULTILINE)
PAGE = (ROOT / "docs" / "problems.md").read_text("utf-8")


def test_the_page_has_a_row_for_each_type_and_no_other() -> None:
    rows = [(uri, int(status), title) for uri, status, title, _ in ROW.findall(PAGE)]

    assert rows == [(each.uri, each.status, each.title) for each in PROBLEM_TYPES.values()]


def test_each_row_says_when_what_was_changed_and_what_to_do() -> None:
    rows = {uri.removeprefix(PREFIX): rest for uri, *_, rest in ROW.findall(PAGE)}

    for name, rest in rows.items():
        when, changed, to_do = rest.split(" | ")
        assert when.endswith(".")
        assert to_do.endswith(".")
        # Only what changed nothing may invite a client to send it again as it is.
        if PROBLEM_TYPES[name].retry_after is not None:
            assert changed == "no"


def test_types_have_distinct_names_and_titles() -> None:
    for values in (
        [each.name for each in PROBLEM_TYPES.values()],
        [each.title for each in PROBLEM_TYPES.values()],
    ):
        assert len(set(values)) == len(values)
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*", name) for name in PROBLEM_TYPES)
