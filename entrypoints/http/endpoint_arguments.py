from collections.abc import Awaitable, Callable, Sequence
from inspect import iscoroutinefunction
from typing import Any, cast

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

Errors = list[dict[str, Any]]


class EndpointArguments:
    """What an endpoint takes, read off its signature once and then off each request.

    Pydantic validates, and the errors are those that FastAPI would raise.
    """

    def __init__(self, signature: Dependant) -> None:
        _refuse_what_needs_solving(signature)
        self._request_name = signature.request_param_name
        self._dependencies = [
            (cast(str, each.name), cast(Callable[..., Awaitable[Any]], each.call), each)
            for each in signature.dependencies
        ]
        self._path = signature.path_params
        self._query = signature.query_params
        self._headers = [
            (field, field.alias.lower().encode("latin-1")) for field in signature.header_params
        ]
        self._body = [
            (field.name, TypeAdapter[Any](cast(Any, field.field_info.annotation)))
            for field in signature.body_params
        ]

    async def of(self, request: Request) -> dict[str, Any]:
        """Return the arguments by name; raise `RequestValidationError`, or `HTTPException` 404
        for a path parameter that cannot name anything, 415 for a body that is not JSON."""
        scope = request.scope
        arguments: dict[str, Any] = {}
        errors: Errors = []
        for field in self._path:
            arguments[field.name], wrong = field.validate(scope["path_params"][field.alias])
            if wrong:
                raise HTTPException(404)
        if self._query:
            query = request.query_params if scope["query_string"] else {}
            for field in self._query:
                self._take(field, query.get(field.alias), "query", arguments, errors)
        for field, key in self._headers:
            values = [value for name, value in scope["headers"] if name == key]
            text = b", ".join(values).decode("latin-1") if values else None
            self._take(field, text, "header", arguments, errors)
        for name, body in self._body:
            _expect_json(scope["headers"])
            try:
                arguments[name] = body.validate_json(await request.body())
            except ValidationError as error:
                errors += [
                    {**each, "loc": ("body", *each["loc"])}
                    for each in error.errors(include_url=False, include_input=False)
                ]
        if errors:
            raise RequestValidationError(errors)
        for name, dependency, own in self._dependencies:
            arguments[name] = await (
                dependency(**{own.request_param_name: request})
                if own.request_param_name
                else dependency()
            )
        if self._request_name:
            arguments[self._request_name] = request
        return arguments

    def _take(
        self, field: Any, text: str | None, location: str, arguments: dict[str, Any], errors: Errors
    ) -> None:
        if text is not None:
            arguments[field.name], wrong = field.validate(text, loc=(location, field.alias))
            errors += wrong
        elif field.field_info.is_required():
            errors.append(
                {"type": "missing", "loc": (location, field.alias), "msg": "Field required"}
            )
        else:
            arguments[field.name] = field.get_default()


def _expect_json(headers: Sequence[tuple[bytes, bytes]]) -> None:
    for name, value in headers:
        if name == b"content-type":
            media_type = value.partition(b";")[0].strip().lower()
            if media_type == b"application/json" or (
                media_type.startswith(b"application/") and media_type.endswith(b"+json")
            ):
                return
    raise HTTPException(415, "The body must be JSON: Content-Type: application/json.")


def _refuse_what_needs_solving(signature: Dependant) -> None:
    if not iscoroutinefunction(signature.call):
        raise TypeError(f"{signature.call}: the endpoint of a DirectRoute is an async function")
    plain = [each for each in signature.dependencies if _takes_only_the_request(each)]
    if (
        len(plain) < len(signature.dependencies)
        or len(signature.body_params) > 1
        or signature.cookie_params
        or signature.websocket_param_name
        or signature.http_connection_param_name
        or signature.response_param_name
        or signature.background_tasks_param_name
        or signature.security_scopes_param_name
    ):
        raise TypeError(
            f"{signature.call}: a DirectRoute gives its endpoint path, query and header "
            "parameters, one JSON body, the request, and dependencies that are async functions "
            "of the request alone. For anything else use a plain APIRoute."
        )


def _takes_only_the_request(dependency: Dependant) -> bool:
    return (
        iscoroutinefunction(dependency.call)
        and dependency.name is not None
        and not dependency.dependencies
        and not dependency.path_params
        and not dependency.query_params
        and not dependency.header_params
        and not dependency.cookie_params
        and not dependency.body_params
        and not dependency.response_param_name
        and not dependency.background_tasks_param_name
        and not dependency.http_connection_param_name
    )
