"""Find missing registrations when the app starts, before a request needs them."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

_U = TypeVar("_U", bound="_UnitsOfWork")


class NotRegistered(Exception):
    """A registration is missing. The text names it, and the file that it belongs in."""


class _UnitsOfWork(Protocol):
    def for_reading(self) -> AbstractAsyncContextManager[object]: ...

    def for_writing(self) -> AbstractAsyncContextManager[object]: ...


def complete(units_of_work: _U, reading: type[object], writing: type[object]) -> _U:
    """Return the units of work of an adapter if they have all attributes of the two protocols.

    Raises `NotRegistered` if one lacks an attribute, such as the repository of an aggregate."""
    for unit, port in (
        (units_of_work.for_reading(), reading),
        (units_of_work.for_writing(), writing),
    ):
        for name in dir(port):
            if not name.startswith("_") and not hasattr(unit, name):
                adapter = type(unit)
                file = adapter.__module__.replace(".", "/")
                raise NotRegistered(
                    f"{adapter.__name__} has no `{name}`: register its repository in {file}.py"
                )
    return units_of_work
