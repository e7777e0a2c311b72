"""Describe headers and problem documents in the OpenAPI document, which FastAPI cannot infer."""

import re
from typing import Any

from fastapi import FastAPI

from entrypoints.http.kernel.problems.problem import MEDIA_TYPE, Problem
from entrypoints.http.kernel.problems.problem_types import PROBLEM_TYPES, ProblemType, phrase

_REFERENCE = "#/components/schemas/"


def header(description: str, shown: str, *, required: bool = True) -> dict[str, Any]:
    """Return the description of a header field of a response; `shown` is a valid value."""
    return {
        "description": description,
        "required": required,
        "schema": {"type": "string", "examples": [shown]},
    }


def headers(*fields: dict[str, Any], description: str | None = None) -> dict[str, Any]:
    """Return the description of a response with the header fields."""
    response: dict[str, Any] = {"headers": {n: h for field in fields for n, h in field.items()}}
    return {**response, "description": description} if description else response


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the description of the problem documents with these statuses, and one of each problem
    type."""
    return {status: _problems_of(status) for status in statuses}


def _problems_of(status: int) -> dict[str, Any]:
    types = [each for each in PROBLEM_TYPES.values() if each.status == status]
    retried = any(each.retry_after is not None for each in types)
    content = {
        "schema": {"$ref": _REFERENCE + "Problem"},
        "examples": {each.name: {"value": _shown(each)} for each in types},
    }
    return {
        "description": phrase(status),
        "headers": {
            "Cache-Control": header("Do not store.", "no-store"),
            **(_RETRY_AFTER if retried else {}),
        },
        "content": {MEDIA_TYPE: content},
    }


def _shown(problem_type: ProblemType) -> dict[str, Any]:
    shown = {
        field.alias or name: field.examples[0]
        for name, field in Problem.model_fields.items()
        if field.examples
    }
    own = {"type": problem_type.uri, "title": problem_type.title, "status": problem_type.status}
    return {**shown, **own, "detail": f"{problem_type.title}."}


_ALWAYS = {
    "X-Request-ID": header("The request's id, as in the log.", "5f0c1e7a9d0b4c7e92c1d7f04d3a6b15"),
    "X-Content-Type-Options": header("Do not sniff the content type.", "nosniff"),
}
_RETRY_AFTER = {
    "Retry-After": header(
        "Retry after this many seconds. Absent if the outcome is unknown.",
        "1",
        required=False,
    )
}


_FASTAPIS_OWN = {
    "description": "Validation Error",
    "content": {"application/json": {"schema": {"$ref": _REFERENCE + "HTTPValidationError"}}},
}
_BEARER_KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key with the scope `read` or `write`.",
}


def describe(app: FastAPI, *, wants_keys: bool) -> None:
    """Complete the app's OpenAPI document with problem documents, headers and API keys."""
    made_by_fastapi = app.openapi
    described: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        nonlocal described
        document = made_by_fastapi()
        # FastAPI creates a new document when routes were added.
        if document is not described:
            _complete(document, wants_keys)
            described = document
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _complete_creation(
    path: str, operations: dict[str, Any], paths: dict[str, dict[str, Any]]
) -> None:
    """Say what can be done next with what a POST to this path created."""
    created = operations.get("post", {}).get("responses", {}).get("201", {})
    if "Location" not in created.get("headers", {}):
        return
    below = re.compile(re.escape(path.rstrip("/")) + r"/\{(\w+)\}")
    for other, its_operations in paths.items():
        if found := below.fullmatch(other):
            created["links"] = {
                method: {
                    "operationId": operation["operationId"],
                    "parameters": {found[1]: "$response.body#/id"},
                }
                for method, operation in its_operations.items()
            }


def _complete(document: dict[str, Any], wants_keys: bool) -> None:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template=_REFERENCE + "{model}")
    schemas |= problem.pop("$defs", {})
    schemas["Problem"] = problem
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    if wants_keys:
        components.setdefault("securitySchemes", {})["key"] = _BEARER_KEY
    for path, operations in document["paths"].items():
        _complete_creation(path, operations, document["paths"])
        for operation in operations.values():
            if wants_keys and "Health" not in operation.get("tags", ()):
                # A route may have security requirements of its own, as alternatives.
                wanted = operation.get("security") or [{}]
                operation["security"] = [{"key": [], **each} for each in wanted]
                operation["responses"] |= problems(401, 403)
            responses = operation["responses"]
            # FastAPI adds a 422 to every route with parameters; ours are described by the route.
            if responses.get("422") == _FASTAPIS_OWN:
                del responses["422"]
            # Every request can have it.
            responses["default"] = problems(500)[500] | {"description": "Any other error"}
            for response in responses.values():
                response.setdefault("headers", {}).update(_ALWAYS)
