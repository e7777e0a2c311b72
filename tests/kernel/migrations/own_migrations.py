"""Migrations of a test's own, run by the project's `env.py` as its own ones are."""

from pathlib import Path
from textwrap import dedent, indent

import pytest
from alembic.config import Config
from sqlalchemy import Connection

from adapters.sql.kernel.migration import migrate as migration


def written_to(directory: Path, *pairs: tuple[str, str]) -> None:
    """Write a line of migrations, `m1`, `m2` and so on, each given by the bodies of its `upgrade`
    and its `downgrade`."""
    for number, (upgrade, downgrade) in enumerate(pairs, start=1):
        parent = f"m{number - 1}" if number > 1 else None
        (directory / f"m{number}_made_by_a_test.py").write_text(
            f'"""Migration {number}."""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n'
            f'revision = "m{number}"\ndown_revision = {parent!r}\n\n\n'
            f"def upgrade() -> None:\n{_body(upgrade)}\n\n\n"
            f"def downgrade() -> None:\n{_body(downgrade)}\n"
        )


def use_migrations_of(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `migrate` and the like run the migrations of a directory."""
    original = migration.alembic_config

    def config(connection: Connection | None = None) -> Config:
        changed = original(connection)
        locations = {"version_locations": [str(directory)]}
        changed.toml_alembic_config = {**changed.toml_alembic_config, **locations}
        return changed

    monkeypatch.setattr(migration, "alembic_config", config)


def _body(text: str) -> str:
    return indent(dedent(text).strip() or "pass", "    ")
