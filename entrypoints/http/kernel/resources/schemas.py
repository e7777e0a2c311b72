"""What the bodies of requests and responses have in common, whatever the resource."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from domain.kernel.rules import Text

AN_ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def text(rule: Text, shown: str) -> FieldInfo:
    """Return the description of a text that the domain's rule bounds; `shown` is a valid one.

    The rule itself is checked in the domain alone, so that every way in has the same errors.
    """
    least = f"{rule.min_length} to " if rule.min_length else "At most "
    stripped = ", white space at both ends not counted" if rule.strip else ""
    info: FieldInfo = Field(
        description=f"{least}{rule.max_length} characters{stripped}.", examples=[shown]
    )
    return info


class RequestBody(BaseModel):
    """What a client sends. A field that it does not have is an error."""

    model_config = ConfigDict(extra="forbid")

    def values(self) -> dict[str, Any]:
        """Return the value of every field, by name."""
        return {name: getattr(self, name) for name in type(self).model_fields}


def _without_defaults(schema: dict[str, Any]) -> None:
    # A field that is left out of a patch is not set to anything.
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class MergePatch(RequestBody):
    """A JSON merge patch (RFC 7396): a field that is left out keeps its value. Give every field a
    default, which is never used."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    def values(self) -> dict[str, Any]:
        """Return the value of every field that the client has sent, by name."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class VersionedRead(BaseModel):
    """What a client gets of every aggregate: `BookRead.model_validate(book)`."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(examples=[AN_ID])
    version: int = Field(description="1 for a new one, one more for every change.", examples=[1])
    created_at: datetime = Field(examples=["2026-11-23T22:13:15.123456Z"])
    updated_at: datetime = Field(examples=["2026-11-23T22:13:15.123456Z"])
