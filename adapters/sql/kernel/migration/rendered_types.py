"""Render custom column types in a new migration as the plain SQLAlchemy types behind them: a
migration must not change when the custom type does."""

import re
from typing import Any, Literal

import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import _repr_type
from sqlalchemy.types import TypeDecorator, TypeEngine

_SQL_TYPE = re.compile(r"(?P<name>[A-Z]+) ?(?P<arguments>\(\d+(?:, ?\d+)*\))?")


def render_item(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Return the Python text of a custom type; False for everything that Alembic renders itself."""
    if kind != "type" or type(item).__module__.startswith("sqlalchemy."):
        return False
    text = _plain(item, context)
    # SQLAlchemy has no public name for the arguments of `with_variant`.
    for dialect, variant in sorted(item._variant_mapping.items()):
        text += f".with_variant({_plain(variant, context)}, {dialect!r})"
    return text


def _plain(item: TypeEngine[Any], context: AutogenContext) -> str:
    module = type(item).__module__
    if isinstance(item, TypeDecorator):
        return _plain(item.impl_instance, context)
    if module.startswith("sqlalchemy."):
        return str(_repr_type(item, context))  # not documented; Alembic documents nothing for this
    sql = _SQL_TYPE.fullmatch(str(item))
    if sql and hasattr(sa, sql["name"]):
        return f"sa.{sql['name']}{sql['arguments'] or '()'}"
    context.imports.add(f"import {module}")
    return f"{module}.{item!r}"
