"""One of several processes that migrate: `python -m tests.kernel.migrations.migrate_on_request`.

It takes the address, says that it is ready, and begins when a line comes.
"""

import asyncio
import sys

from adapters.sql.kernel.migration.migrate import migrate
from tests.kernel.database_settings import engine_for


async def main(url: str) -> None:
    engine = engine_for(url)
    try:
        await migrate(engine)
    finally:
        await engine.dispose()


if __name__ == "__main__":
    address = sys.stdin.readline().strip()
    print("ready", flush=True)
    sys.stdin.readline()
    asyncio.run(main(address))
