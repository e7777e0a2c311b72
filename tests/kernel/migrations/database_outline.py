from typing import Any

from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncEngine

ALEMBICS_OWN = "alembic_version"
Outline = dict[str, dict[str, Any]]


async def outline(engine: AsyncEngine) -> Outline:
    """Return what the database's tables are made of, in a form that can be compared."""
    async with engine.connect() as connection:
        return await connection.run_sync(_outline)


def _outline(connection: Connection) -> Outline:
    inspector = inspect(connection)
    return {
        table: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(table)
            ],
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": inspector.get_foreign_keys(table),
            "unique": _by_name(inspector.get_unique_constraints(table)),
            "checks": _by_name(inspector.get_check_constraints(table)),
            "indexes": _by_name(inspector.get_indexes(table)),
            "without rowid": _is_without_rowid(connection, table),
        }
        for table in inspector.get_table_names()
        if table != ALEMBICS_OWN
    }


def _by_name(found: Any) -> list[dict[str, Any]]:
    return sorted(found, key=lambda each: str(each["name"]))


def _is_without_rowid(connection: Connection, table: str) -> bool:
    if connection.dialect.name != "sqlite":
        return False
    sql = "SELECT wr FROM pragma_table_list(?)"
    return bool(connection.exec_driver_sql(sql, (table,)).scalar_one())
