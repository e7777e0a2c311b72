"""The log says why requests fail during an outage, at most once per second."""

from types import SimpleNamespace
from typing import Any

import pytest

from application.kernel.errors import OutcomeUnknown, StorageFull, StorageUnavailable
from entrypoints.http.kernel.problems import outage_log
from tests.kernel.integration.failing_units_of_work import FailingUnitsOfWork
from tests.kernel.integration.service import PRODUCTS, client_of, settings_for
from tests.kernel.warehouse.app import create_app


def failures(log_lines: list[Any]) -> list[Any]:
    return [line for line in log_lines if line["event"] == "requests failed"]


@pytest.mark.parametrize("error", [StorageUnavailable, OutcomeUnknown, StorageFull])
async def test_many_failures_make_one_line_with_the_reason(
    log_lines: list[Any], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    units = FailingUnitsOfWork()
    units.on_commit = error("the disk is on fire")
    clock = SimpleNamespace(monotonic=lambda: 1_000.0)
    monkeypatch.setattr(outage_log, "time", clock)
    async with client_of(create_app(settings_for("memory://"), units_of_work=units)) as client:
        for _ in range(10):
            assert (await client.post(PRODUCTS, json={"name": "lamp"})).status_code >= 503
        (line,) = failures(log_lines)
        assert (line["reason"], line["requests"]) == ("the disk is on fire", 1)

        clock.monotonic = lambda: 1_000.0 + outage_log.INTERVAL_SECONDS
        await client.post(PRODUCTS, json={"name": "lamp"})
        assert failures(log_lines)[1]["requests"] == 10


async def test_a_client_error_is_not_an_outage(log_lines: list[Any]) -> None:
    async with client_of(create_app(settings_for("memory://"))) as client:
        assert (await client.get(f"{PRODUCTS}/nothing")).status_code == 404
    assert not failures(log_lines)
