"""The schema of the example, by the name that docs/first-document.md gives it."""

from adapters.sql.kernel.migration.schema import upgrade_embedded_database

create_example_schema = upgrade_embedded_database
