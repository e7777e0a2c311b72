"""Create example_items."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_2200"
down_revision = None
branch_labels = None
depends_on = None

# A migration says what the schema was on its day, so it borrows nothing from the tables of today.
utc_time = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def upgrade() -> None:
    op.create_table(
        "example_items",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", utc_time, nullable=False),
        sa.Column("updated_at", utc_time, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("description", sa.String(2000)),
        sa.CheckConstraint("version >= 1", name=op.f("ck_example_items_version")),
        sa.CheckConstraint(
            "length(name) BETWEEN 1 AND 200", name=op.f("ck_example_items_name_length")
        ),
        sa.CheckConstraint(
            "length(description) <= 2000", name=op.f("ck_example_items_description_length")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_example_items")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("example_items")
