from itertools import pairwise
from threading import Thread
from uuid import RFC_4122, UUID

from adapters.kernel.uuid7_source import Uuid7Source


def test_ids_are_version_7() -> None:
    new_id = Uuid7Source().new_id()

    assert type(new_id) is UUID
    assert (new_id.version, new_id.variant) == (7, RFC_4122)


def test_each_id_sorts_after_the_one_before() -> None:
    source = Uuid7Source()

    ids = [source.new_id() for _ in range(100_000)]

    assert all(one < next_one for one, next_one in pairwise(ids))


def test_ids_of_several_threads_differ() -> None:
    source = Uuid7Source()
    ids: list[UUID] = []

    threads = [
        Thread(target=lambda: ids.extend(source.new_id() for _ in range(10_000))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(ids)) == len(ids) == 40_000
