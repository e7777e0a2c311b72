"""The plot of docs/performance.md, drawn by hand: bars for CPU time, lines for the last page."""

from collections.abc import Iterator, Sequence
from math import floor, log10

from benchmarks.operations import OPERATIONS
from benchmarks.plan import Plan
from benchmarks.results import CPU, LAST_PAGE, Quantity, Results
from benchmarks.subjects import LIMIT, LITESTAR, NAMES, POSTGRESQL, SERVICE, TUTORIAL

COLORS = {SERVICE: "#0969da", LIMIT: "#8c959f", TUTORIAL: "#d4a72c", LITESTAR: "#bf5a9d"}
WIDTH, LEFT, RIGHT = 760, 150, 690
BAR, GAP, TITLE = 13, 12, 40
LINES_HEIGHT = 200


def text(x: float, y: float, content: str, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-weight="{weight}">'
        f"{content}</text>"
    )


def plot(plan: Plan, results: Results) -> str:
    shapes = list(_legend())
    y = 2.0 * TITLE
    for database in plan.databases:
        shapes += _bars(database, results, y)
        y += TITLE + len(OPERATIONS) * (len(NAMES) * BAR + GAP)
    shapes += _lines(plan, results, y)
    height = y + LINES_HEIGHT + 2 * TITLE
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
            'font-family="sans-serif" font-size="12" fill="#1f2328">',
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            *shapes,
            "</svg>\n",
        ]
    )


def _legend() -> Iterator[str]:
    for number, name in enumerate(NAMES):
        x = LEFT + number * 120
        yield f'<rect x="{x}" y="18" width="12" height="12" fill="{COLORS[name]}"/>'
        yield text(x + 18, 28, name)


def _bars(database: str, results: Results, y: float) -> Iterator[str]:
    yield text(20, y - 12, f"CPU per request in µs, {database}, 16 connections", weight="bold")
    found = {
        (operation, name): results.spread(Quantity(CPU, database, operation, 16), name)
        for operation in OPERATIONS
        for name in NAMES
    }
    longest = max((spread.median for spread in found.values() if spread), default=1.0)
    for operation in OPERATIONS:
        yield text(LEFT - 10, y + len(NAMES) * BAR / 2 + 4, operation, "end")
        for name in NAMES:
            if spread := found[operation, name]:
                width = (RIGHT - LEFT) * spread.median / longest
                yield (
                    f'<rect x="{LEFT}" y="{y:.0f}" width="{width:.1f}" height="{BAR - 2}" '
                    f'fill="{COLORS[name]}"/>'
                )
                yield text(LEFT + width + 6, y + BAR - 3, f"{spread.median:,.0f}")
            y += BAR
        y += GAP


def _lines(plan: Plan, results: Results, y: float) -> Iterator[str]:
    yield text(20, y - 12, "Last page of 50 in ms as the table grows", weight="bold")
    series = {
        (name, database): _points(plan.row_counts, database, name, results)
        for database in plan.databases
        for name in (SERVICE, TUTORIAL)
    }
    values = [value for points in series.values() for _, value in points]
    if not values:
        return
    lowest, highest = floor(log10(min(values))), floor(log10(max(values))) + 1
    few, many = log10(min(plan.row_counts)), log10(max(plan.row_counts))

    def across(rows: float) -> float:
        return LEFT + (RIGHT - LEFT - 60) * (log10(rows) - few) / (many - few)

    def down(value: float) -> float:
        return y + LINES_HEIGHT * (highest - log10(value)) / (highest - lowest)

    for power in range(lowest, highest + 1):
        level = down(10.0**power)
        yield f'<path d="M{LEFT} {level:.0f}H{RIGHT - 60}" stroke="#d0d7de"/>'
        yield text(LEFT - 10, level + 4, f"{10.0**power:g}", "end")
    for rows in plan.row_counts:
        yield text(across(rows), y + LINES_HEIGHT + 20, f"{rows:,} rows", "middle")
    ends = []
    for (name, database), points in series.items():
        if points:
            path = "L".join(f"{across(rows):.1f} {down(value):.1f}" for rows, value in points)
            dashes = "none" if database == POSTGRESQL else "5 3"
            yield (
                f'<path d="M{path}" fill="none" stroke="{COLORS[name]}" stroke-width="2" '
                f'stroke-dasharray="{dashes}"/>'
            )
            ends.append((down(points[-1][1]) + 4, database))
    free = 0.0
    for level, database in sorted(ends):
        level_of_text = max(level, free)
        free = level_of_text + 14
        yield text(RIGHT - 54, level_of_text, database)


def _points(
    row_counts: Sequence[int], database: str, name: str, results: Results
) -> list[tuple[int, float]]:
    found = [
        (rows, results.spread(Quantity(LAST_PAGE, database, rows=rows), name))
        for rows in row_counts
    ]
    return [(rows, spread.median) for rows, spread in found if spread]
