"""What clients send and get. The lengths of texts are the domain's rules, not repeated here."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.example_item import (
    DESCRIPTION_MAX_LENGTH,
    NAME_MAX_LENGTH,
    UNCHANGED,
    ExampleItem,
    Unchanged,
)

EXAMPLE_ID = "01890a5d-ac96-774b-bcce-b302099a8057"

Name = Annotated[
    str,
    Field(
        description=f"1 to {NAME_MAX_LENGTH} characters, white space at both ends not counted.",
        examples=["Blue lamp"],
    ),
]
Description = Annotated[
    str | None,
    Field(
        description=f"At most {DESCRIPTION_MAX_LENGTH} characters.",
        examples=["Stands on the desk in the hall."],
    ),
]


def _no_defaults(schema: dict[str, Any]) -> None:
    """What is left out of a patch is not set to anything."""
    for field in schema["properties"].values():
        field.pop("default", None)


class ExampleItemCreate(BaseModel):
    """A new item, or all that a client may set of an existing one."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    description: Description = None


class ExampleItemPatch(BaseModel):
    """A JSON merge patch (RFC 7396): what is left out stays, null clears the description."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_no_defaults)

    name: Name = ""
    description: Description = None

    def changed_name(self) -> str | Unchanged:
        return self.name if "name" in self.model_fields_set else UNCHANGED

    def changed_description(self) -> str | Unchanged | None:
        return self.description if "description" in self.model_fields_set else UNCHANGED


class ExampleItemRead(BaseModel):
    """An item as it is answered."""

    id: UUID = Field(examples=[EXAMPLE_ID])
    name: Name
    description: Description
    version: int = Field(description="1 for a new item, one more for every change.", examples=[1])
    created_at: datetime = Field(examples=["2026-11-23T22:13:15.123456Z"])
    updated_at: datetime = Field(examples=["2026-11-23T22:13:15.123456Z"])


def to_read(item: ExampleItem) -> dict[str, Any]:
    """Return the fields of an `ExampleItemRead`, ready for the serializer."""
    return {
        "id": item.id,
        "name": item.name,
        "description": item.description,
        "version": item.version,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
    }
