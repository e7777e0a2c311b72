"""What every error looks like (RFC 9457)."""

from http import HTTPStatus
from typing import Any

import httpx


def problem_of(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Return the problem document of an answer, after checking that it is a whole one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    expected = {"type", "title", "status", "detail", "instance", "request_id"}
    assert set(problem) == (expected | {"errors"} if status == 422 else expected)
    assert problem["type"] == "about:blank"
    assert problem["title"] == HTTPStatus(status).phrase
    assert problem["status"] == status
    assert problem["detail"]
    assert problem["instance"] == answer.request.url.raw_path.partition(b"?")[0].decode()
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    return problem


def errors_of(answer: httpx.Response) -> list[tuple[str, str, str]]:
    """Return part, pointer and type of each thing that is wrong with the request."""
    errors = problem_of(answer, 422)["errors"]
    assert errors
    for error in errors:
        assert set(error) == {"in", "pointer", "type", "detail"}
        assert error["detail"]
    return [(error["in"], error["pointer"], error["type"]) for error in errors]
