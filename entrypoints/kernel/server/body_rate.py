"""The minimum rate at which the body of a request has to arrive."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])
_ATTRIBUTE = "__body_rate__"


@dataclass(frozen=True, slots=True)
class BodyRate:
    """At least `bytes_per_second` on average; a body may be up to `seconds` behind that."""

    bytes_per_second: float = 1_000
    seconds: float = 4


DEFAULT_BODY_RATE = BodyRate()


def body_rate(*, bytes_per_second: float, seconds: float) -> Callable[[_Endpoint], _Endpoint]:
    """Return a decorator that sets the body rate of an endpoint.

    Put it below the route's decorator, which has FastAPI's own `max_body_size`:

        @router.post("/photos", max_body_size=50_000_000)
        @body_rate(bytes_per_second=10_000, seconds=30)
        async def upload(request: Request) -> Response: ...
    """

    def decorate(endpoint: _Endpoint) -> _Endpoint:
        setattr(endpoint, _ATTRIBUTE, BodyRate(bytes_per_second, seconds))
        return endpoint

    return decorate


def body_rate_of(endpoint: object) -> BodyRate:
    """Return the body rate of an endpoint, or the default."""
    rate: BodyRate = getattr(endpoint, _ATTRIBUTE, DEFAULT_BODY_RATE)
    return rate
