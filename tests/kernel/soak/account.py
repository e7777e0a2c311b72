"""What happened, counted."""

import asyncio
import time
from collections import Counter, defaultdict, deque

from tests.kernel.soak.ledger import DUPLICATED, LOST

WRONG_READ = "wrong reads"
UNEXPECTED = "unexpected responses"
STUCK = "stuck"
RESET = "reset"
TURNED_AWAY = "turned away"
LEAKED = "leaked"
FAILED = "500"
TRACEBACK = "tracebacks"
WRONG_END = "wrong ends"
NOT_RECOVERED = "not recovered"
MUST_BE_NONE = {
    LOST: "changes that were acknowledged and are not there",
    DUPLICATED: "changes that were made twice",
    WRONG_READ: "responses to GET that are not what is stored",
    UNEXPECTED: "responses that a client's own items cannot have",
    STUCK: "requests with neither a response nor an end",
    RESET: "connections that ended without a word, by no kill",
    TURNED_AWAY: "new connections that were reset, without a response, during a shutdown",
    LEAKED: "what is left when the clients have gone",
    FAILED: "responses with this status",
    TRACEBACK: "exceptions in the service's log",
    WRONG_END: "shutdowns of the service with an exit code other than 0",
    NOT_RECOVERED: "faults after which no change succeeded in time",
}
MAY_BE = {
    "503": "responses with this status",
    "507": "responses with this status",
    "other 5xx": "responses with such a status",
    "sent again": "requests without a definite response",
    "replayed responses": "responses that had been earned by an earlier sending",
}
SERVER_ERRORS = {"500", "503", "507"}
MOST_SHOWN = 3
LOG_TAIL = 40
MEGABYTE = 1_000_000


class Account:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.recoveries: dict[str, list[float]] = defaultdict(list)
        """For each kind of fault, the seconds from its ends to the next change that succeeded."""
        self.growths: list[int] = []
        """By how many bytes each life of the service grew that lasted long enough."""
        self.log_tail: deque[str] = deque(maxlen=LOG_TAIL)
        self.changed = asyncio.Event()
        """Set by each change that succeeds."""
        self._shown: dict[str, list[str]] = defaultdict(list)
        self._began = time.monotonic()

    def count(self, what: str, case: str = "") -> None:
        self.counts[what] += 1
        if case and len(self._shown[what]) < MOST_SHOWN:
            self._shown[what].append(f"at {self._seconds():.1f} s: {case}")

    def count_status(self, status: int, case: str) -> None:
        self.count("responses")
        if status >= 500:
            self.count(str(status) if str(status) in SERVER_ERRORS else "other 5xx", case)

    def say(self, what: str) -> None:
        print(f"{self._seconds():7.1f} s  {what}", flush=True)

    def wrong(self) -> dict[str, int]:
        """Return what must not have happened and has, with its number."""
        return {what: self.counts[what] for what in MUST_BE_NONE if self.counts[what]}

    def table(self) -> str:
        remarks = {**MAY_BE, **MUST_BE_NONE}
        plain = self.counts.keys() - remarks.keys()
        rows = [
            *((what, f"{self.counts[what]:,}", "") for what in sorted(plain)),
            *((what, f"{self.counts[what]:,}", remarks[what]) for what in remarks),
            ("memory growth", self._growth(), "the most in one life of the service"),
            *(
                (f"after {fault}", f"{max(seconds):.1f} s", f"the worst of {len(seconds)}")
                for fault, seconds in sorted(self.recoveries.items())
            ),
        ]
        first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
        return "\n".join(
            f"{name:<{first}}  {number:>{second}}  {remark}".rstrip()
            for name, number, remark in rows
        )

    def report(self) -> str:
        """Return the account, and the details of what is wrong in it."""
        wrong = self.wrong()
        parts = [self.table()]
        parts += [f"{what}, such as:\n" + "\n".join(self._shown[what]) for what in wrong]
        if wrong:
            parts.append("the end of the service's log, without what succeeded:")
            parts.append("\n".join(self.log_tail))
        words = ", ".join(f"{number} {what}" for what, number in wrong.items())
        return "\n\n".join([*parts, f"WRONG: {words}" if wrong else "All is well."])

    def _growth(self) -> str:
        return f"{max(self.growths) / MEGABYTE:.1f} MB" if self.growths else "too short"

    def _seconds(self) -> float:
        return time.monotonic() - self._began
