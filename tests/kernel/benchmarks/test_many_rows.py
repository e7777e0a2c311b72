import sqlite3
from pathlib import Path
from uuid import UUID

from benchmarks.baselines.limit_sqlite import CREATE
from benchmarks.many_rows import multiply, row_id

TABLE = CREATE.partition("(")[0].split()[-1]


def test_copies_one_row_under_ids_that_count_up(tmp_path: Path) -> None:
    path = tmp_path / "many.sqlite3"
    original = UUID("01a20a8f-cff4-72ae-b18f-8ae63321fd18")
    with sqlite3.connect(path) as connection:
        connection.execute(CREATE)
        row = (original.hex, "a name", None, 1, "then", "now")
        connection.execute(f"INSERT INTO {TABLE} VALUES (?, ?, ?, ?, ?, ?)", row)
    connection.close()

    multiply(f"sqlite+aiosqlite:///{path}", str(original), rows=300)

    connection = sqlite3.connect(path)
    rows = connection.execute(f"SELECT * FROM {TABLE} ORDER BY id").fetchall()
    connection.close()
    assert [one[0] for one in rows] == [row_id(number + 1).hex for number in range(300)]
    assert {one[1:] for one in rows} == {("a name", None, 1, "then", "now")}
    assert row_id(300).version == 7
