"""The arguments of a plain endpoint, read without FastAPI's dependency solver."""

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin
from uuid import UUID

from fastapi import params
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from starlette.convertors import Convertor, StringConvertor, UUIDConvertor
from starlette.datastructures import QueryParams
from starlette.requests import Request

from entrypoints.http.kernel.framework_internals import (
    Dependant,
    ModelField,
    has_nothing_but,
    invalid_body,
    set_body,
)

_SCALARS = (str, int, float, bool, UUID, date, datetime, time, timedelta, Decimal, NoneType)
_JSON = (b"application/json", b"application/json; charset=utf-8")
_decode_json = json.JSONDecoder().decode

Headers = list[tuple[bytes, bytes]]
Convertors = Mapping[str, Convertor[Any]]
Dependency = Callable[..., Awaitable[Any]]


class FastArguments:
    """Reads the arguments of an endpoint from requests, with the same result as FastAPI."""

    def __init__(self, declared: Dependant, convertors: Convertors) -> None:
        self._declared = declared
        self.dependencies = [
            (each.name, cast(Dependency, each.call), each.request_param_name)
            for each in declared.dependencies
        ]
        """For each: the name of the argument if it has one, the function, and the function's name
        for the request."""
        self.takes_body = bool(declared.body_params)
        self._request_name = declared.request_param_name
        self._path = [(each.name, each.alias, each.validate) for each in declared.path_params]
        self._uuids = [
            (each.name, each.alias)
            for each in declared.path_params
            if type(convertors[each.alias]) is UUIDConvertor
        ]
        self._query = [_Parameter(each) for each in declared.query_params]
        self._headers = [_Parameter(each) for each in declared.header_params]
        for body in declared.body_params:
            self._body_name = body.name
            self._validate_body = TypeAdapter[Any](
                cast(Any, body.field_info.annotation)
            ).validate_python

    @staticmethod
    def are_enough_for(declared: Dependant, convertors: Convertors) -> bool:
        """Return whether all arguments can be read here."""
        calls = [each.call for each in declared.dependencies]
        return (
            has_nothing_but(
                declared,
                *("call", "name", "path", "scope", "use_cache", "request_param_name"),
                *("path_params", "query_params", "header_params", "body_params", "dependencies"),
            )
            and all(_is_plain_dependency(each) for each in declared.dependencies)
            and len(set(calls)) == len(calls)  # FastAPI calls it once
            and _are_plain_path(declared.path_params, convertors)
            and all(_is_plain(each, params.Query) for each in declared.query_params)
            and all(_is_plain_header(each) for each in declared.header_params)
            and len(declared.body_params) <= 1
            and all(_is_plain_body(each) for each in declared.body_params)
        )

    def read(
        self, request: Request, body: bytes | None
    ) -> dict[str, Any] | RequestValidationError | None:
        """Return the arguments without those of dependencies, or the error to raise after the
        dependencies were called. Return None if something is missing or invalid: FastAPI handles
        that."""
        scope = request.scope
        arguments: dict[str, Any] = {}
        path = scope["path_params"]
        for name, alias, validate in self._path:
            arguments[name], errors = validate(path[alias])
            if errors:
                return None
        for name, alias in self._uuids:
            path[alias] = arguments[name]
        if self._query:
            text = scope["query_string"]
            query: Mapping[str, str] = QueryParams(text) if text else {}
            for parameter in self._query:
                if not parameter.take(query.get(parameter.alias), arguments):
                    return None
        for parameter in self._headers:
            if not parameter.take(parameter.header_in(scope["headers"]), arguments):
                return None
        if body is not None:
            if not _says_json(scope["headers"]):
                return None
            content = _decode_json(str(body, "utf-8"))
            set_body(request, body)  # it can be received only once
            try:
                arguments[self._body_name] = self._validate_body(content, from_attributes=True)
            except ValidationError as error:
                return invalid_body(error, content, self._declared, request)
        if self._request_name:
            arguments[self._request_name] = request
        return arguments


class _Parameter:
    def __init__(self, field: ModelField) -> None:
        self.alias = field.alias
        self._key = field.alias.lower().encode("latin-1")
        self._name = field.name
        self._validate = field.validate
        self._is_required = field.field_info.is_required()
        self._default = None if self._is_required else field.default
        self._is_list = get_origin(_without_none(field.field_info.annotation)) is list

    def header_in(self, headers: Headers) -> str | list[str] | None:
        if self._is_list:
            return [str(value, "latin-1") for name, value in headers if name == self._key] or None
        for name, value in headers:
            if name == self._key:
                return str(value, "latin-1")
        return None

    def take(self, value: object, arguments: dict[str, Any]) -> bool:
        """Add the value or the default to the arguments; return whether it is valid."""
        if value is None:
            arguments[self._name] = self._default
            return not self._is_required
        arguments[self._name], errors = self._validate(value)
        return not errors


def is_plain_coroutine_function(call: object) -> bool:
    """Return whether it is an `async def` that wraps no function that FastAPI would inspect."""
    return (
        inspect.isfunction(call)
        and inspect.iscoroutinefunction(call)
        and inspect.unwrap(call) is call
    )


def _says_json(headers: Headers) -> bool:
    for name, value in headers:
        if name == b"content-type":
            return value in _JSON
    return False


def _is_plain_dependency(declared: Dependant) -> bool:
    return has_nothing_but(
        declared, "call", "name", "path", "use_cache", "request_param_name"
    ) and is_plain_coroutine_function(declared.call)


def _are_plain_path(fields: list[ModelField], convertors: Convertors) -> bool:
    uuids = {
        each.alias
        for each in fields
        if each.field_info.annotation is UUID and not each.field_info.metadata
    }
    return all(
        _is_plain(each, params.Path) and each.alias in convertors for each in fields
    ) and all(
        type(convertor) is StringConvertor
        # Validating the text gives the same value as the convertor.
        or (type(convertor) is UUIDConvertor and name in uuids)
        for name, convertor in convertors.items()
    )


def _is_plain_header(field: ModelField) -> bool:
    annotation = _without_none(field.field_info.annotation)
    item = get_args(annotation)[0] if get_origin(annotation) is list else annotation
    return _is_plain(field, params.Header, item)


def _is_plain(field: ModelField, kind: type[Any], annotation: Any = None) -> bool:
    info = field.field_info
    if type(info) is not kind or field.config:
        return False
    return (
        info.validation_alias in (None, field.alias)
        and not info.validate_default
        and info.default_factory is None
        and (info.is_required() or _is_scalar(type(info.default)))
        and all(_is_scalar(each) for each in _alternatives(annotation or info.annotation))
    )


def _is_plain_body(field: ModelField) -> bool:
    info = field.field_info
    return (
        type(info) is params.Body
        and not info.embed
        and not info.metadata
        and info.is_required()
        and info.media_type == "application/json"
    )


def _without_none(annotation: Any) -> Any:
    others = [each for each in _alternatives(annotation) if each is not NoneType]
    return others[0] if len(others) == 1 else annotation


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, UnionType):
        return get_args(annotation)
    return (annotation,)


def _is_scalar(kind: Any) -> bool:
    return kind in _SCALARS or (isinstance(kind, type) and issubclass(kind, Enum))
