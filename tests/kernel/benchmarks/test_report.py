from pathlib import Path
from xml.etree import ElementTree

from benchmarks.bounds import bounds
from benchmarks.operations import OPERATIONS
from benchmarks.plan import CONNECTIONS, FULL, QUICK
from benchmarks.plot import plot
from benchmarks.report import BEGIN, END, NEW_PAGE, between_markers, sections, write_report
from benchmarks.results import CPU, LAST_PAGE, P50, P99, THROUGHPUT, Quantity, Results
from benchmarks.run import Finished
from benchmarks.subjects import DATABASES, NAMES
from benchmarks.verdict import judge


def everything_measured() -> Results:
    results = Results(busiest_generator=[(0.5, "a calm one"), (0.95, "the limit, GET")])
    for name in NAMES:
        for database in DATABASES:
            for operation in OPERATIONS:
                for connections in CONNECTIONS:
                    for metric in (CPU, THROUGHPUT, P50, P99):
                        quantity = Quantity(metric, database, operation, connections)
                        results.record(quantity, name, 123.4)
            for rows in FULL.row_counts:
                results.record(Quantity(LAST_PAGE, database, rows=rows), name, 0.5)
    return results


def test_the_prose_around_the_figures_stays() -> None:
    page = f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n"
    assert between_markers(page, "new") == f"before\n\n{BEGIN}\n\nnew\n\n{END}\n\nafter\n"


def test_writing_the_same_figures_again_changes_nothing() -> None:
    once = between_markers(NEW_PAGE, "figures")
    assert between_markers(once, "figures") == once


def test_a_page_without_markers_gets_its_figures_at_the_end() -> None:
    assert between_markers("prose\n", "new") == f"prose\n\n{BEGIN}\n\nnew\n\n{END}\n"


def test_the_report_says_so_when_the_load_generator_was_the_bottleneck() -> None:
    text = "\n".join(sections(FULL, Finished(everything_measured(), 1.1, "18.6")))
    assert "In 1 of 2 measurements it used more than 85% of a core" in text
    assert "the limit, GET" in text
    assert "123 (123 to 123)" in text


def test_one_page_has_the_summary_and_the_other_all_tables(tmp_path: Path) -> None:
    finished = Finished(everything_measured(), 1.1, "18.6")
    verdicts = [
        judge(database, bound, finished.results)
        for database in DATABASES
        for bound in bounds(database, FULL.row_counts)
    ]
    (tmp_path / "performance.md").write_text(f"before\n\n{BEGIN}\n{END}\n\nafter\n")

    write_report(tmp_path, FULL, finished, verdicts)

    page, tables = (
        (tmp_path / name).read_text("utf-8") for name in ("performance.md", "performance-tables.md")
    )
    assert page.startswith("before\n")
    assert page.endswith("\nafter\n")
    assert "| GET by id, PostgreSQL | 123 | 123 | 123 | 123 | 1.00 | 1.0 |" in page
    assert f" of {len(verdicts)} bounds were met." in page
    assert "### Bounds" not in page
    for heading in ("### Under load, SQLite", "### Start-up and memory", "### Bounds"):
        assert heading in tables
    assert (tmp_path / "performance.svg").exists()


def test_what_was_not_measured_is_reported_as_a_gap() -> None:
    results = Results(busiest_generator=[(0.5, "a calm one")])
    text = "\n".join(sections(QUICK, Finished(results, 1.0, "")))
    assert "| GET by id | — | — |" in text


def test_the_plot_is_well_formed() -> None:
    for results in (everything_measured(), Results()):
        assert ElementTree.fromstring(plot(FULL, results)).tag.endswith("svg")
