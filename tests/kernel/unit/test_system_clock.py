from datetime import UTC, datetime, timedelta

from adapters.kernel.system_clock import SystemClock


def test_the_clock_is_in_utc() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()

    assert before <= now <= datetime.now(UTC)
    assert now.utcoffset() == timedelta(0)
