import secrets
import socket
from contextlib import suppress

# Below the range from which Linux gives ports to outgoing connections: a server that goes down
# for a moment and comes back finds its port still free.
CANDIDATES = range(15_000, 30_000)


def free_port() -> int:
    """Return a port of 127.0.0.1 on which no process listens at this moment.

    Drawn from the system's randomness: test workers that were given one seed must not meet.
    """
    for _ in range(100):
        port = secrets.choice(CANDIDATES)
        with socket.socket() as candidate, suppress(OSError):
            candidate.bind(("127.0.0.1", port))
            return port
    message = "no free port in 100 attempts"
    raise RuntimeError(message)
