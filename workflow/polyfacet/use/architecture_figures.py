"""Draw the figures of docs/architecture.md: the graph of rules and the graph of packages.

Both are SVG files; tests redraw and compare them.  Edges that are implied by others are left out.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from polyfacet.runtime.code_digest import imported_names
from polyfacet.runtime.environment_path import PROJECT
from polyfacet.runtime.files import write_text

FIGURES = PROJECT / "docs" / "figures"
RULES, PACKAGES = "rules.svg", "packages.svg"
PACKAGE = PROJECT / "workflow" / "polyfacet"
# All facets of crystals with their own rules, on the embedded entries.
PLAN = ("--rulegraph", "dot", "--config", "combinations=full")
NODE, EDGE = re.compile(r'(\d+)\[label = "(\w+)"'), re.compile(r"(\d+) -> (\d+)")

Graph = dict[str, set[str]]  # name to the names that it needs

# Pixels.
CHARACTER, PADDING, HEIGHT, ROW, GAP, BEND, MARGIN = 6.6, 10, 24, 52, 18, 20, 8
# Rounds in which nodes are moved towards their neighbours.
ROUNDS = 24


def rule_graph(dot: str) -> Graph:
    """Read the output of ``snakemake --rulegraph dot``, without the rule ``all`` that only names results."""
    names = dict(NODE.findall(dot))
    graph: Graph = {name: set() for name in names.values()}
    for needed, rule in EDGE.findall(dot):
        graph[names[rule]].add(names[needed])
    graph.pop("all", None)
    return graph


def package_graph() -> Graph:
    """Derive from the code which packages of polyfacet each package imports."""
    names = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
    return {
        name: {
            imported.split(".")[1]
            for path in (PACKAGE / name).rglob("*.py")
            for imported in imported_names(path)
            if imported.startswith("polyfacet.") and imported.split(".")[1] in names
        }
        - {name}
        for name in names
    }


def reduced(graph: Mapping[str, set[str]]) -> Graph:
    """Return a graph without the edges that are implied by others."""
    reached: Graph = {}

    def below(name: str) -> set[str]:
        if name not in reached:
            reached[name] = graph[name].union(*map(below, graph[name]))
        return reached[name]

    return {name: needs - set().union(*map(below, needs)) for name, needs in graph.items()}


@dataclass
class Layout:
    """Rows of names from top to bottom; an edge that spans several rows has a point in each of them."""

    rows: list[list[str]]
    edges: list[tuple[str, str]] = field(default_factory=list)
    points: set[str] = field(default_factory=set)


def layered(graph: Mapping[str, set[str]]) -> Layout:
    """Place each node below everything that it needs, and near its neighbours."""
    levels: dict[str, int] = {}

    def level(name: str) -> int:
        if name not in levels:
            levels[name] = 1 + max(map(level, graph[name]), default=-1)
        return levels[name]

    layout = Layout([[] for _ in range(1 + max(map(level, graph)))])
    # Nodes without needs go just above the nodes that need them.
    for name in (name for name, needs in graph.items() if not needs):
        levels[name] = min((levels[user] for user in graph if name in graph[user]), default=1) - 1
    for name in sorted(graph):
        layout.rows[levels[name]].append(name)
        for needed in sorted(graph[name]):
            last = needed
            for between in range(levels[needed] + 1, levels[name]):
                point = f"{needed} to {name}, {between}"
                layout.points.add(point)
                layout.rows[between].append(point)
                layout.edges.append((last, point))
                last = point
            layout.edges.append((last, name))
    for i in range(ROUNDS):
        _arrange(layout, downwards=i % 2 == 0)
    return layout


def _arrange(layout: Layout, *, downwards: bool) -> None:
    """Order each row by the mean position of the neighbours in the previous row."""
    pairs = layout.edges if downwards else [(below, above) for above, below in layout.edges]
    place: dict[str, float] = {}
    for row in layout.rows if downwards else reversed(layout.rows):
        for i, name in enumerate(row):
            joined = [place[before] for before, after in pairs if after == name and before in place]
            place[name] = sum(joined) / len(joined) if joined else i / len(row)
        row.sort(key=lambda name: (place[name], name))
        place |= {name: (i + 1) / (len(row) + 1) for i, name in enumerate(row)}


def svg(graph: Mapping[str, set[str]], title: str) -> str:
    """Draw a graph; edges lead downwards, from a node to the nodes that need it."""
    layout = layered(graph)

    def width(name: str) -> float:
        return 2 if name in layout.points else round(CHARACTER * len(name) + 2 * PADDING, 1)

    widths = [sum(map(width, row)) + GAP * (len(row) - 1) for row in layout.rows]
    whole = max(widths) + 2 * MARGIN
    center: dict[str, tuple[float, float]] = {}
    for i, (row, row_width) in enumerate(zip(layout.rows, widths, strict=True)):
        left = (whole - row_width) / 2
        for name in row:
            center[name] = (round(left + width(name) / 2, 1), MARGIN + i * ROW + HEIGHT / 2)
            left += width(name) + GAP
    height = 2 * MARGIN + ROW * (len(layout.rows) - 1) + HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole:.0f} {height}" width="{whole:.0f}" '
        'font-family="sans-serif" font-size="11.5" role="img">',
        f"<title>{title}</title>",
        f'<rect width="{whole:.0f}" height="{height}" fill="#ffffff"/>',
    ]
    for above, below in layout.edges:
        (x, y), (to_x, to_y) = center[above], center[below]
        start = y if above in layout.points else y + HEIGHT / 2
        end = to_y if below in layout.points else to_y - HEIGHT / 2
        lines.append(
            f'<path d="M{x} {start}C{x} {start + BEND} {to_x} {end - BEND} {to_x} {end}" '
            'fill="none" stroke="#9aa5b1" stroke-width="1.3"/>'
        )
    for name in (name for row in layout.rows for name in row if name not in layout.points):
        x, y = center[name]
        lines += [
            f'<rect x="{x - width(name) / 2:.1f}" y="{y - HEIGHT / 2}" width="{width(name)}" '
            f'height="{HEIGHT}" rx="5" fill="#eaf1f8" stroke="#4a6f94"/>',
            f'<text x="{x}" y="{y + 4}" text-anchor="middle" fill="#16293c">{name}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


def figure_of_rules(dot: str) -> str:
    """Draw the graph of rules.

    Parameters
    ----------
    dot
        Output of Snakemake for ``PLAN``.
    """
    return svg(reduced(rule_graph(dot)), "Rules of a run with all facets of crystals")


def figure_of_packages() -> str:
    """Draw the graph of packages and their imports."""
    return svg(reduced(package_graph()), "Packages of polyfacet and what they import")


def main() -> None:
    """Rewrite the figures."""
    command = [sys.executable, "-m", "snakemake", *PLAN]
    dot = subprocess.run(  # noqa: S603
        command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    write_text(FIGURES / RULES, figure_of_rules(dot))
    write_text(FIGURES / PACKAGES, figure_of_packages())


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main)
