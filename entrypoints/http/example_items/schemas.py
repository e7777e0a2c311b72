"""What clients send and get."""

from typing import Annotated

from domain.example_item import DESCRIPTION, NAME
from entrypoints.http.kernel.resources.schemas import MergePatch, RequestBody, VersionedRead, text

Name = Annotated[str, text(NAME, "Blue lamp")]
Description = Annotated[str | None, text(DESCRIPTION, "Stands on the desk in the hall.")]


class ExampleItemCreate(RequestBody):
    """A new item, or all that a client may set of an existing one."""

    name: Name
    description: Description = None


class ExampleItemPatch(MergePatch):
    """What to change of an item; null clears the description."""

    name: Name = ""
    description: Description = None


class ExampleItemRead(VersionedRead):
    """An item as it is returned."""

    name: Name
    description: Description
