"""All problem types, each with its `type`, status and title.

docs/problems.md says when each occurs and what a client should do; a test compares both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

BLANK = "about:blank"
PREFIX = "urn:problem:"
"""Absolute, so that a type is the same on every host and behind every path prefix (RFC 9457,
section 3.1.1). A URN and not a URL, because the documentation is not served by an instance."""

# The names of RFC 9110. Before Python 3.13, `HTTPStatus` has older ones, and responses must not
# depend on the Python version.
_PHRASES: Mapping[int, str] = {
    **{status.value: status.phrase for status in HTTPStatus},
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem. Problems that a client should handle differently have different names."""

    name: str
    status: int
    title: str
    retry_after: int | None = None
    """`Retry-After` in seconds, for a request that is safe to retry unchanged."""

    @property
    def uri(self) -> str:
        """The `type` of the problem document."""
        return PREFIX + self.name if self.name else BLANK


def phrase(status: int) -> str:
    """Return the name of a status in RFC 9110."""
    return _PHRASES.get(status, "Error")


def plain(status: int) -> ProblemType:
    """Return the type of a problem that means no more than its status: `about:blank`, whose title
    is the status's name (RFC 9457, section 4.2.1)."""
    return ProblemType("", status, phrase(status))


MALFORMED_REQUEST = ProblemType("malformed-request", 400, "Malformed request")
MALFORMED_IDEMPOTENCY_KEY = ProblemType(
    "malformed-idempotency-key", 400, "Malformed idempotency key"
)
KEY_MISSING = ProblemType("key-missing", 401, "API key missing")
KEY_UNKNOWN = ProblemType("key-unknown", 401, "API key unknown")
KEY_READS_ONLY = ProblemType("key-reads-only", 403, "API key reads only")
KEYS_NOT_CONFIGURED = ProblemType("keys-not-configured", 403, "No API keys configured")
NO_SUCH_PATH = ProblemType("no-such-path", 404, "No such path")
NOT_FOUND = ProblemType("not-found", 404, "Not found")
METHOD_NOT_ALLOWED = ProblemType("method-not-allowed", 405, "Method not allowed")
NOT_ACCEPTABLE = ProblemType("not-acceptable", 406, "Not acceptable")
REQUEST_TOO_SLOW = ProblemType("request-too-slow", 408, "Request too slow")
ALREADY_EXISTS = ProblemType("already-exists", 409, "Already exists")
CONCURRENT_CHANGE = ProblemType("concurrent-change", 409, "Concurrent change")
CONFLICT = ProblemType("conflict", 409, "Conflict")
IDEMPOTENCY_KEY_IN_PROGRESS = ProblemType(
    "idempotency-key-in-progress", 409, "Idempotency key in progress"
)
STALE_VERSION = ProblemType("stale-version", 412, "Stale version")
BODY_TOO_LARGE = ProblemType("body-too-large", 413, "Body too large")
URL_TOO_LONG = ProblemType("url-too-long", 414, "URL too long")
UNSUPPORTED_MEDIA_TYPE = ProblemType("unsupported-media-type", 415, "Unsupported media type")
UNKNOWN_HOST = ProblemType("unknown-host", 421, "Unknown host")
INVALID_REQUEST = ProblemType("invalid-request", 422, "Invalid request")
INVALID_VALUE = ProblemType("invalid-value", 422, "Invalid value")
IDEMPOTENCY_KEY_REUSED = ProblemType("idempotency-key-reused", 422, "Idempotency key reused")
HEADER_TOO_LARGE = ProblemType("header-too-large", 431, "Header fields too large")
INTERNAL_ERROR = ProblemType("internal-error", 500, "Internal error")
DATABASE_UNAVAILABLE = ProblemType(
    "database-unavailable", 503, "Database unavailable", retry_after=1
)
TRANSACTION_CONFLICT = ProblemType(
    "transaction-conflict", 503, "Transaction conflict", retry_after=1
)
DEADLINE_EXCEEDED = ProblemType("deadline-exceeded", 503, "Deadline exceeded", retry_after=1)
SHUTTING_DOWN = ProblemType("shutting-down", 503, "Shutting down", retry_after=1)
NOT_READY = ProblemType("not-ready", 503, "Not ready", retry_after=1)
# No Retry-After: the client must check the outcome before it retries.
OUTCOME_UNKNOWN = ProblemType("outcome-unknown", 503, "Outcome unknown")
FAILED_AFTER_COMMIT = ProblemType("failed-after-commit", 503, "Failed after a commit")
DATABASE_FULL = ProblemType("database-full", 507, "Database full")

PROBLEM_TYPES: Mapping[str, ProblemType] = MappingProxyType(
    {each.name: each for each in list(vars().values()) if isinstance(each, ProblemType)}
)
"""Every type above, by name."""
