"""The charts of BENCHMARKS.md, drawn from its tables: seconds in parts of torch's best; time and memory by size.

python -m benchmarks.chart
"""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

BOOK, CHART, SIZES = (
    Path("BENCHMARKS.md"),
    Path("docs/pictures/benchmarks.png"),
    Path("docs/pictures/benchmarks_sizes.png"),
)
LARGE = "| network | size | plan"
FIRST = "| size | plain jnp"
TORCH = ("torch contiguous", "torch channels_last")
TARGETS = {"256": 0.75, "512": 0.60}


def rows(text: str, first: str) -> list[dict[str, str]]:
    """The lines of the table that begins so, by their heads."""
    lines = text[text.index(first) :].split("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(cells[0], line, strict=True)) for line in cells[2:]]


def draw(table: list[dict[str, str]]) -> Figure:
    """A group of bars for each size, a bar for each form."""
    forms = [head for head in table[0] if head != "size" and "/" not in head]
    figure = Figure(figsize=(7, 3), layout="constrained")
    axis = figure.subplots()
    for place, row in enumerate(table):
        best = min(float(row[form]) for form in TORCH)
        shares = [float(row[form]) / best for form in forms]
        places = [place + (k - len(forms) / 2) * 0.16 for k in range(len(forms))]
        colours = ["C7" if form in TORCH else f"C{k}" for k, form in enumerate(forms)]
        bars = axis.bar(places, shares, 0.14, color=colours)
        labels = [f"{form}\n{row[form]} s".replace("torch ", "torch\n") for form in forms]
        axis.bar_label(bars, labels, padding=2, fontsize=5, bbox={"facecolor": "white", "linewidth": 0, "pad": 0.4})
        if row["size"] in TARGETS:
            axis.hlines(TARGETS[row["size"]], places[0] - 0.1, places[-1] + 0.1, color="k", lw=0.8, ls=":")
    axis.set_xticks(range(len(table)), [f"{row['size']} pixels" for row in table])
    axis.set_ylabel("time / torch's best", fontsize=8)
    axis.set_title("one value-and-gradient, VGG-19 to relu5_1 (dotted: the aim)", fontsize=8)
    axis.margins(y=0.15)
    return figure


def draw_sizes(table: Sequence[dict[str, str]]) -> Figure:
    """Seconds and memory against the size, a line for each network and plan."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots(1, 2)
    plans = list(dict.fromkeys(row["plan"] for row in table))
    for axis, head, title in zip(axes, ("seconds", "peak, MiB"), ("seconds", "peak memory, GiB"), strict=True):
        for colour, network in zip(("C0", "C3"), dict.fromkeys(row["network"] for row in table), strict=False):
            for style, plan in zip(("-o", ":x", "--s"), plans, strict=False):
                known = [r for r in table if (r["network"], r["plan"]) == (network, plan) and number(r[head]) > 0]
                sides = [number(row["size"].split()[0]) for row in known]
                values = [number(row[head]) / (1024 if "MiB" in head else 1) for row in known]
                axis.loglog(sides, values, style, color=colour, label=f"{network}, {plan}", markersize=4)
        ticks = sorted({number(row["size"].split()[0]) for row in table})
        axis.set_xticks(ticks, [f"{tick:.0f}" for tick in ticks], minor=False)
        axis.set_xticks([], minor=True)
        axis.set_xlabel("size, pixels a side", fontsize=8)
        axis.set_title(f"one value and gradient: {title}", fontsize=8)
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=6)
    return figure


def number(cell: str) -> float:
    """A cell of a table; 0 where it has none."""
    try:
        return float(cell.replace(",", ""))
    except ValueError:
        return 0.0


if __name__ == "__main__":
    book = BOOK.read_text(encoding="utf-8")
    draw(rows(book, FIRST)).savefig(CHART, dpi=160)
    draw_sizes(rows(book, LARGE)).savefig(SIZES, dpi=160)
    print(CHART, SIZES)
