"""SECURITY.md grants the service what it needs."""

import re

from adapters.sql.unit_of_work import metadata
from tests.documents.test_references import ROOT


def test_the_page_grants_rights_on_every_table() -> None:
    page = (ROOT / "SECURITY.md").read_text("utf-8")

    granted = re.search("GRANT SELECT, INSERT, UPDATE, DELETE ON (.+) TO service;", page)

    assert granted
    assert set(granted[1].split(", ")) == set(metadata.tables)
