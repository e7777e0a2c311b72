import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast, get_args, get_origin

from fastapi import params
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from entrypoints.http.problem import HTTPProblem
from entrypoints.http.problem_types import UNSUPPORTED_MEDIA_TYPE

Errors = list[dict[str, Any]]


class EndpointArguments:
    """What an endpoint takes, read off its signature once and then off each request.

    Pydantic validates, and the errors are those that FastAPI would raise.
    """

    def __init__(self, signature: Dependant) -> None:
        _refuse_what_needs_solving(signature)
        self._request_name = signature.request_param_name
        self._dependencies = [
            (cast(str, each.name), cast(Callable[[Request], Awaitable[Any]], each.call))
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
        overrides = scope["app"].dependency_overrides
        for name, dependency in self._dependencies:
            arguments[name] = await (
                _call_override(overrides[dependency], request)
                if dependency in overrides
                else dependency(request)
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
    detail = "The body must be JSON: Content-Type: application/json."
    raise HTTPProblem(UNSUPPORTED_MEDIA_TYPE, detail)


async def _call_override(override: Callable[..., Any], request: Request) -> Any:
    """Return what a test's override of a dependency returns, whichever its shape."""
    result = override(request) if inspect.signature(override).parameters else override()
    return await result if inspect.isawaitable(result) else result


def _refuse_what_needs_solving(signature: Dependant) -> None:
    if not inspect.iscoroutinefunction(signature.call):
        raise TypeError(f"{signature.call}: the endpoint of a DirectRoute is an async function")
    if not (
        all(_takes_only_the_request(each) for each in signature.dependencies)
        and all(_is_plain_body(field) for field in signature.body_params)
        and len(signature.body_params) <= 1
        and all(
            _is_single_value(field)
            for field in (*signature.path_params, *signature.query_params, *signature.header_params)
        )
        and not _takes_what_only_fastapi_gives(signature)
    ):
        raise TypeError(
            f"{signature.call}: a DirectRoute gives its endpoint path, query and header "
            "parameters of a single value, one JSON body, the request, and dependencies that are "
            "async functions of the request alone. For anything else use a plain APIRoute."
        )


def _takes_only_the_request(dependency: Dependant) -> bool:
    return (
        inspect.iscoroutinefunction(dependency.call)
        and len(inspect.signature(dependency.call).parameters) == 1
        and dependency.request_param_name is not None
        and dependency.name is not None
        and not dependency.own_oauth_scopes
    )


def _is_plain_body(field: ModelField) -> bool:
    return (
        type(field.field_info) is params.Body
        and not field.field_info.embed
        and field.field_info.is_required()
    )


def _is_single_value(field: ModelField) -> bool:
    kinds = [field.field_info.annotation, *get_args(field.field_info.annotation)]
    return not any(
        (get_origin(kind) or kind) in (list, set, frozenset, tuple, dict)
        or (isinstance(kind, type) and issubclass(kind, BaseModel))
        for kind in kinds
    )


def _takes_what_only_fastapi_gives(signature: Dependant) -> bool:
    return bool(
        signature.cookie_params
        or signature.websocket_param_name
        or signature.http_connection_param_name
        or signature.response_param_name
        or signature.background_tasks_param_name
        or signature.security_scopes_param_name
    )
