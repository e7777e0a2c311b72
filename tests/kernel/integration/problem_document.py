"""What every error looks like (RFC 9457)."""

from typing import Any

import httpx

from entrypoints.http.kernel.problems.problem_types import PREFIX, PROBLEM_TYPES, ProblemType, plain


def problem_of(
    response: httpx.Response, expected: int | ProblemType, *, blank: bool = False
) -> dict[str, Any]:
    """Return the problem document of a response, after checking that it is a whole one, of the
    status or type expected; `blank` is for one that means no more than its status."""
    status = expected if isinstance(expected, int) else expected.status
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    members = {"type", "title", "status", "detail", "instance", "request_id"}
    assert set(problem) == (members | {"errors"} if status == 422 else members)
    kind = plain(status) if blank else PROBLEM_TYPES[problem["type"].removeprefix(PREFIX)]
    assert isinstance(expected, int) or kind is expected
    assert (problem["type"], problem["title"]) == (kind.uri, kind.title)
    assert problem["status"] == status == kind.status
    assert problem["detail"]
    assert problem["instance"] == response.request.url.raw_path.partition(b"?")[0].decode()
    assert problem["request_id"] == response.headers["X-Request-ID"]
    wait = None if kind.retry_after is None else str(kind.retry_after)
    assert response.headers.get("Retry-After") == wait
    return problem


def errors_of(response: httpx.Response) -> list[tuple[str, str, str]]:
    """Return part, pointer and type of each thing that is wrong with the request."""
    errors = problem_of(response, 422)["errors"]
    assert errors
    for error in errors:
        assert set(error) == {"in", "pointer", "type", "detail"}
        assert error["detail"]
    return [(error["in"], error["pointer"], error["type"]) for error in errors]
