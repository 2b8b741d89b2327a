"""The chart of BENCHMARKS.md, drawn from its first table: seconds of one value-and-gradient, in parts of torch's best.

python -m benchmarks.chart
"""

from pathlib import Path

from matplotlib.figure import Figure

BOOK, CHART = Path("BENCHMARKS.md"), Path("docs/benchmarks.png")
FIRST = "| size | plain jnp"
TORCH = ("torch contiguous", "torch channels_last")
TARGETS = {"256": 0.75, "512": 0.60}


def rows(text: str) -> list[dict[str, str]]:
    """The lines of the table that begins with FIRST, by their heads."""
    lines = text[text.index(FIRST) :].split("\n\n")[0].splitlines()
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


if __name__ == "__main__":
    draw(rows(BOOK.read_text(encoding="utf-8"))).savefig(CHART, dpi=160)
    print(CHART)
