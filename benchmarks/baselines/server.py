"""One worker of the fastest server: uvicorn on uvloop and httptools, without an access log."""

from typing import Any

import uvicorn

from benchmarks.baselines.environment import HOST, PORT


def serve(application: Any) -> None:
    uvicorn.run(
        application,
        host=HOST,
        port=PORT,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_level="warning",
    )
