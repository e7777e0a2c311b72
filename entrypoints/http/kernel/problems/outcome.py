"""The response to a failed request says whether the request has changed anything."""

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
    Outcome.COMMITTED: "An earlier part of the request was committed; check before retrying.",
}
_INSTEAD: Mapping[Outcome, ProblemType] = {
    Outcome.UNKNOWN: OUTCOME_UNKNOWN,
    Outcome.COMMITTED: FAILED_AFTER_COMMIT,
}


def failure(
    scope: Scope, problem_type: ProblemType, detail: str, outcome: Outcome | None = None
) -> Response:
    """Return a problem whose detail ends with the outcome of the request: the given one, or that of
    its recorded commits.

    If something was or may have been committed, the problem has another type, without a
    `Retry-After`, because a client must check before it retries. An internal error keeps its type.
    """
    outcome = outcome or COMMITS.get().outcome
    if problem_type is not INTERNAL_ERROR:
        problem_type = _INSTEAD.get(outcome, problem_type)
    return problem(scope, problem_type, f"{detail} {_SENTENCES[outcome]}")
