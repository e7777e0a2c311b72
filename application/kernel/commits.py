"""Record what a request has committed, so that the response to a failed request is correct.

The adapter records each commit that it makes, and the entrypoint that handles the request reads the
outcome in the end. An exception cannot carry the outcome: a task group, a timeout or a middleware
between the two may replace it by another exception.
"""

from contextvars import ContextVar
from enum import Enum
from types import TracebackType

from application.kernel.errors import ApplicationError, OutcomeUnknown


class Outcome(Enum):
    """What a request has committed so far."""

    NOTHING = "nothing was committed"
    UNKNOWN = "a commit was begun, and its outcome is unknown"
    COMMITTED = "a commit was made"


class Commits:
    """The commits of one request."""

    __slots__ = ("_under_way", "made")

    def __init__(self) -> None:
        self._under_way = 0
        self.made = 0
        """The number of commits that were made."""

    def begin(self) -> None:
        """Record that a commit begins, whose outcome is unknown until `end`."""
        self._under_way += 1

    def end(self, *, made: bool) -> None:
        """Record the outcome of a commit. It is not called if the outcome stays unknown."""
        self._under_way -= 1
        self.made += made

    @property
    def outcome(self) -> Outcome:
        if self._under_way:
            return Outcome.UNKNOWN
        return Outcome.COMMITTED if self.made else Outcome.NOTHING


COMMITS: ContextVar[Commits] = ContextVar("commits", default=Commits())  # noqa: B039 -- shared on purpose
"""The commits of the current request. The handling of a request begins by setting a new object.

Tasks and threads that the request starts get a copy of the variable, and so share the object. Work
outside of requests shares the default, whose outcome is never read.
"""


class Committing:
    """Records the commit that is made in its block.

        with Committing():
            await connection.commit()

    The commit was made if the block ends without an error. It was not made if the block ends with
    one of the `rejections`, or with an `ApplicationError` other than `OutcomeUnknown`. After any
    other exception, such as a cancellation, its outcome is unknown.
    """

    __slots__ = ("_commits", "_rejections")

    def __init__(self, *rejections: type[Exception]) -> None:
        self._rejections = rejections
        self._commits = COMMITS.get()

    def __enter__(self) -> None:
        self._commits.begin()

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self._commits.end(made=True)
        elif isinstance(error, (ApplicationError, *self._rejections)) and not isinstance(
            error, OutcomeUnknown
        ):
            self._commits.end(made=False)
