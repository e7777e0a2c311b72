"""The history is one line, and its newest file is its head."""

from pathlib import Path

from alembic.script import ScriptDirectory

from adapters.sql.kernel.migration.migrate import alembic_config
from adapters.sql.kernel.migration.schema import head

SCRIPTS = ScriptDirectory.from_config(alembic_config())


def test_there_is_one_head() -> None:
    assert len(SCRIPTS.get_heads()) == 1


def test_there_is_one_beginning() -> None:
    assert len(SCRIPTS.get_bases()) == 1


def test_the_service_expects_the_head() -> None:
    assert head() == SCRIPTS.get_current_head()


def test_files_are_named_after_their_revisions() -> None:
    for script in SCRIPTS.walk_revisions():
        assert Path(script.path).stem.startswith(f"{script.revision}_")


def test_files_sort_in_the_order_of_the_history() -> None:
    history = [Path(script.path).stem for script in SCRIPTS.walk_revisions()]

    assert history == sorted(history, reverse=True)
