"""A wrong password, host or database: clear words in the log, and no secret anywhere.

Without `hide_input_in_errors` (`entrypoints/kernel/service_settings.py`) or `show_locals=False`
(`entrypoints/kernel/logging.py`), or with the driver's texts in errors, parts of the address are
printed.
"""

import pytest
from sqlalchemy import make_url

from tests.kernel.faults.running import client_of, service_on
from tests.kernel.faults.service_log import assert_no_traceback
from tests.kernel.integration.service import PRODUCTS
from tests.kernel.processes.free_port import free_port

SECRET = "hunter2-s3cret"


@pytest.mark.parametrize("wrong", ["password", "host", "port", "database"])
async def test_a_wrong_url_is_reported_without_its_secrets(postgresql_url: str, wrong: str) -> None:
    url = make_url(postgresql_url)
    url = {
        "password": url.set(password=SECRET),
        "host": url.set(host="nowhere.invalid", password=SECRET),
        "port": url.set(port=free_port(), password=SECRET),
        "database": url.set(database="nothing"),
    }[wrong]
    password = str(url.password)
    async with (
        service_on(url.render_as_string(hide_password=False), APP_DATABASE_ECHO="true") as service,
        client_of(service) as client,
    ):
        responses = [
            await client.get("/health/ready"),
            await client.get(PRODUCTS),
            await client.post(PRODUCTS, json={"name": SECRET}),
        ]
        assert (await client.get("/health/live")).status_code == 200

    assert [response.status_code for response in responses] == [503] * 3
    output = service.log + "".join(response.text + str(response.headers) for response in responses)
    assert SECRET not in output
    assert password not in output
    assert_no_traceback(service)
