"""What a request has committed, so that the response to one that failed says what is true.

An adapter notes each commit where it makes it, and the entrypoint that handles the request reads
the outcome in the end. An exception cannot carry this: a task group, a timeout or a middleware
between the two replaces one exception by another.
"""

from contextvars import ContextVar
from enum import Enum
from types import TracebackType

from application.kernel.errors import ApplicationError, OutcomeUnknown


class Outcome(Enum):
    """What a request has changed so far."""

    NOTHING = "no commit was begun that could have been made"
    UNKNOWN = "a commit was begun, and may have been made or not"
    COMMITTED = "a commit was made"


class Commits:
    """The commits of one request."""

    __slots__ = ("_under_way", "made")

    def __init__(self) -> None:
        self._under_way = 0
        self.made = 0
        """How many were made."""

    def begin(self) -> None:
        """Note that from now on a commit may be made."""
        self._under_way += 1

    def end(self, *, made: bool) -> None:
        """Record the outcome of a commit. If the outcome stays unknown, this is never called."""
        self._under_way -= 1
        self.made += made

    @property
    def outcome(self) -> Outcome:
        if self._under_way:
            return Outcome.UNKNOWN
        return Outcome.COMMITTED if self.made else Outcome.NOTHING


COMMITS: ContextVar[Commits] = ContextVar("commits", default=Commits())  # noqa: B039 -- shared on purpose
"""The commits of the present request. Whatever handles a request sets a new object, first of all.

Tasks and threads that the request starts get a copy of the variable, and so the same object. Work
outside of any request shares the default, whose outcome is never read.
"""


class Committing:
    """Notes a commit that is made within its block.

        with Committing():
            await connection.commit()

    A block that ends without an error has made it. One that ends with an `ApplicationError`, except
    `OutcomeUnknown`, or with one of the `rejections`, has not. Any other end, such as a
    cancellation, leaves the outcome unknown.
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
