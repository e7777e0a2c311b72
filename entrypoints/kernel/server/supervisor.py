"""The supervisor of several worker processes that serve the same sockets: it starts, watches,
restarts and stops them."""

import logging
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

import structlog
from uvicorn.config import STARTUP_FAILURE

from entrypoints.kernel.server.config import ServerConfig
from entrypoints.kernel.server.listener import bound_sockets
from entrypoints.kernel.server.worker import ENDS

SILENCE_SECONDS = 30.0
"""A worker that sends no heartbeat for this long is replaced."""
STABLE_SECONDS = 10.0
"""A worker that ended earlier than this is restarted only after a pause."""
LONGEST_PAUSE_SECONDS = 30.0
MARGIN_SECONDS = 5.0
"""How much longer than the grace period a worker may take before it is killed."""

_log = structlog.get_logger("entrypoints.server")


def run_workers(config: ServerConfig) -> int:
    """Serve in several processes until a signal ends it; return the exit status."""
    grace = config.timeout_graceful_shutdown or 0
    try:
        listeners = bound_sockets(config.host, config.port)
    except OSError as error:
        logging.getLogger("uvicorn.error").error(error)
        return STARTUP_FAILURE
    addresses = [each.getsockname()[:2] for each in listeners]
    _log.info("listening", addresses=addresses, workers=config.workers)
    supervisor = Supervisor(listeners, config.workers, grace, config.program)
    return 0 if supervisor.run() else STARTUP_FAILURE


class Worker:
    """A worker process, from the supervisor's side.

    The two are connected by a pair of sockets. The worker sends heartbeats over it, and each end
    closes when its process ends for whatever reason.
    """

    def __init__(self, listeners: Iterable[socket.socket], program: str) -> None:
        self.line, other_end = socket.socketpair()
        self.line.setblocking(False)
        descriptors = [each.fileno() for each in (other_end, *listeners)]
        # Ctrl-C reaches the whole process group, but the supervisor stops the workers.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            self._process = subprocess.Popen(  # noqa: S603 -- no input from outside
                [
                    *(sys.executable, "-m", program, "worker"),
                    *map(str, descriptors),
                ],
                pass_fds=descriptors,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
            other_end.close()
        self.pid = self._process.pid
        self.began = time.monotonic()
        # When the lack of a heartbeat means that it hangs. Its start has no limit: it may migrate.
        self.hangs_at = float("inf")

    @property
    def has_served(self) -> bool:
        return self.hangs_at != float("inf")

    def listen(self, grace: float) -> bool:
        """Read its heartbeats; return whether its process has ended."""
        with suppress(BlockingIOError):
            while signs := self.line.recv(1000):
                ends = signs.endswith(ENDS)
                self.hangs_at = time.monotonic() + SILENCE_SECONDS + ends * grace
            return True
        return False

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()

    def exit_status(self) -> int:
        """Return the exit status of the process, which has ended; negative if a signal ended it."""
        self.line.close()
        return self._process.wait()


class Supervisor:
    """Keeps a number of workers running until a signal stops it.

    SIGTERM or SIGINT starts a graceful shutdown of the workers at any time; a second signal kills
    them.
    """

    def __init__(
        self, listeners: Sequence[socket.socket], workers: int, grace: float, program: str
    ) -> None:
        """`grace` is how many seconds a worker may take to shut down; `program` is the module that
        it runs."""
        self._program = program
        self._listeners = listeners
        self._grace = grace
        self._workers: set[Worker] = set()
        self._starts = [0.0] * workers  # when each worker that is missing is to be started
        self._pause = 0.0
        self._can_start = False
        self._signals = 0
        self._selector = selectors.DefaultSelector()

    def run(self) -> bool:
        """Serve until a signal; return False if it ended because no worker could start."""
        with self._counting_signals():
            while not self._signals:
                self._start_workers()
                for worker in self._wait(self._seconds_to_wait()):
                    if not self._replace(worker):
                        self._end_workers()
                        return False
                self._kill_hanging_workers()
            self._end_workers()
        return True

    def _start_workers(self) -> None:
        now = time.monotonic()
        due = [each for each in self._starts if each <= now]
        for each in due:
            self._starts.remove(each)
            worker = Worker(self._listeners, self._program)
            self._workers.add(worker)
            self._selector.register(worker.line, selectors.EVENT_READ, worker)

    def _replace(self, worker: Worker) -> bool:
        """Schedule the restart of a worker that ended; return False if no worker ever started."""
        now = time.monotonic()
        if now - worker.began >= STABLE_SECONDS:
            self._pause = 0.0
        else:
            self._pause = min(max(0.5, 2 * self._pause), LONGEST_PAUSE_SECONDS)
        status = worker.exit_status()
        if not self._can_start:
            _log.error("a worker cannot start", pid=worker.pid, exit_status=status)
            return False
        _log.error(
            "a worker ended", pid=worker.pid, exit_status=status, restart_in_seconds=self._pause
        )
        self._starts.append(now + self._pause)
        return True

    def _kill_hanging_workers(self) -> None:
        for worker in self._workers:
            if time.monotonic() > worker.hangs_at:
                _log.error("a worker hangs and is killed", pid=worker.pid)
                worker.kill()
                worker.hangs_at = time.monotonic() + SILENCE_SECONDS

    def _end_workers(self) -> None:
        # While these copies are open, the kernel accepts connections that no worker will serve.
        for each in self._listeners:
            each.close()
        for worker in self._workers:
            worker.terminate()
        deadline = time.monotonic() + self._grace + MARGIN_SECONDS
        while self._workers:
            for worker in self._wait(max(0.0, deadline - time.monotonic())):
                worker.exit_status()
            if self._signals > 1 or time.monotonic() > deadline:
                for worker in self._workers:
                    worker.kill()

    def _wait(self, seconds: float) -> Sequence[Worker]:
        """Wait for a signal, a heartbeat or the end of a worker; return the workers that ended."""
        ended = []
        for key, _ in self._selector.select(seconds):
            worker: Worker | None = key.data
            if worker is None:
                self._wake_up.recv(1000)
            else:
                has_ended = worker.listen(self._grace)
                self._can_start = self._can_start or worker.has_served
                if has_ended:
                    self._selector.unregister(worker.line)
                    self._workers.remove(worker)
                    ended.append(worker)
        return ended

    def _seconds_to_wait(self) -> float:
        now = time.monotonic()
        return max(0.0, min([now + 1.0, *self._starts]) - now)

    @contextmanager
    def _counting_signals(self) -> Iterator[None]:
        """Count the signals within the block; each one also ends a wait."""
        self._wake_up, signals = socket.socketpair()
        for each in (self._wake_up, signals):
            each.setblocking(False)
        self._selector.register(self._wake_up, selectors.EVENT_READ, None)
        before = signal.set_wakeup_fd(signals.fileno(), warn_on_full_buffer=False)
        handlers = {
            number: signal.signal(number, self._count) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before)
            self._selector.close()
            self._wake_up.close()
            signals.close()

    def _count(self, *_: object) -> None:
        self._signals += 1
