"""The response to a request that failed says what the request has changed."""

from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Scope

from application.kernel.commits import COMMITS, Outcome
from entrypoints.http.kernel.problems.problem import problem
from entrypoints.http.kernel.problems.problem_types import (
    FAILED_AFTER_COMMIT,
    INTERNAL_ERROR,
    OUTCOME_UNKNOWN,
    ProblemType,
)

_SENTENCES: Mapping[Outcome, str] = {
    Outcome.NOTHING: "Nothing was changed.",
    Outcome.UNKNOWN: "The outcome of the commit is unknown; check before retrying.",
    Outcome.COMMITTED: "A commit was made before that; check before retrying.",
}
_INSTEAD: Mapping[Outcome, ProblemType] = {
    Outcome.UNKNOWN: OUTCOME_UNKNOWN,
    Outcome.COMMITTED: FAILED_AFTER_COMMIT,
}


def failure(
    scope: Scope, problem_type: ProblemType, detail: str, outcome: Outcome | None = None
) -> Response:
    """Return a problem whose detail ends with what the request changed: as its commits were noted,
    or as given.

    Where that is anything but nothing, the type says so too, because its `Retry-After` and what a
    client does about it differ. An internal error has neither, and remains one.
    """
    outcome = outcome or COMMITS.get().outcome
    if problem_type is not INTERNAL_ERROR:
        problem_type = _INSTEAD.get(outcome, problem_type)
    return problem(scope, problem_type, f"{detail} {_SENTENCES[outcome]}")
