"""How fast the machine is at this moment: a fixed piece of work, timed.

Shared machines drift by tens of percent within minutes. A burst's CPU time is taken as a multiple
of the pace around it, so that bursts of one run can be compared.
"""

from time import thread_time

LOOPS = 100_000


def fixed_work() -> float:
    """Return the CPU seconds that it takes now."""
    started = thread_time()
    seen: dict[int, str] = {}
    for number in range(LOOPS):
        seen[number & 1023] = str(number)
    return thread_time() - started


class Calibration:
    def __init__(self) -> None:
        self._paces = [fixed_work() for _ in range(10)]

    def pace(self) -> float:
        self._paces.append(fixed_work())
        return self._paces[-1]

    @property
    def best(self) -> float:
        """The pace of the run's fastest tenth: CPU times are scaled to this pace."""
        return self._ordered[len(self._paces) // 10]

    @property
    def worst(self) -> float:
        return self._ordered[-1 - len(self._paces) // 10]

    @property
    def _ordered(self) -> list[float]:
        return sorted(self._paces)
