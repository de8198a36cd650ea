"""Writes docs/performance.md and its picture from what `performance.py` has measured."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

K4, K64, M1, M16 = 1 << 12, 1 << 16, 1 << 20, 1 << 24
SIZES = {32: "32", K4: "4 K", K64: "64 K", M1: "1 M", M16: "16 M"}
NEAR = ["squared_error", "absolute_error", "huber", "quantile"]
SMOOTH = ["binary_cross_entropy_with_logits", "logistic", "log_cosh", "poisson", "poisson_log_link"]
COMPOSED = ["sigmoid_focal", "gaussian_nll", "student_t_nll"]
SOFTMAX = [f"softmax_cross_entropy {shape}" for shape in ("100000x10", "1024x1000", "512x32000")]
GROUPS = {
    "A few operations": NEAR,
    "Exponentials and logarithms": SMOOTH,
    "Compositions": COMPOSED,
    "Softmax cross-entropy": SOFTMAX,
}


@dataclass
class Target:
    """What is wanted of a group of works: a ratio, or a time."""

    group: str
    part: str
    works: list[str]
    numerator: str  # The contestants; "ceiling" is the faster of both ways to store.
    denominator: str | None  # None: nanoseconds for each element, or call.
    elements: int | None  # None: whatever the work has.
    least: float | None = None
    most: float | None = None

    @property
    def beside(self):
        names = {None: "time", "lossfn": self.numerator, "plain": "none of them", "all": "one"}
        return names.get(self.denominator, self.denominator)


def targets():
    def faster(group, part, works, peer, wanted):
        for elements, least in wanted.items():
            yield Target(group, part, works, peer, "lossfn", elements, least=least)

    def ceiling(group, works, wanted):
        for elements, most in wanted.items():
            yield Target(group, "ceiling", works, "lossfn", "ceiling", elements, most=most)

    names = list(GROUPS)
    yield from faster(names[0], "pointwise", NEAR, "PyTorch", {K4: 40, K64: 7, M1: 3.5, M16: 6})
    yield from faster(names[0], "pointwise", NEAR, "JAX", {K64: 4, M1: 1.8, M16: 3})
    yield from ceiling(names[0], NEAR, {K4: 1.5, K64: 1.5, M1: 1.15, M16: 1.15})
    yield from faster(names[1], "pointwise", SMOOTH, "PyTorch", {K64: 9, M1: 10, M16: 12})
    yield from faster(names[1], "pointwise", SMOOTH, "JAX", {K64: 12, M1: 12, M16: 12})
    yield from faster(names[1], "pointwise", SMOOTH, "scikit-learn", {K64: 40, M1: 40, M16: 40})
    yield from ceiling(names[1], SMOOTH, {M16: 1.3})
    for elements in (K4, K64):
        yield Target(names[1], "ceiling", SMOOTH, "lossfn", None, elements, most=0.6)
    yield from faster(names[2], "pointwise", COMPOSED, "PyTorch", {K64: 10, M1: 10, M16: 10})
    yield from faster(names[2], "pointwise", COMPOSED, "JAX", {K64: 5, M1: 5, M16: 5})
    for work, of_torch, of_jax in zip(SOFTMAX, (25, 5, 6), (3.5, 2, 2.5), strict=True):
        yield from faster(work, "softmax", [work], "PyTorch", {None: of_torch})
        yield from faster(work, "softmax", [work], "JAX", {None: of_jax})
    yield from ceiling(SOFTMAX[2], [SOFTMAX[2]], {None: 1.3})
    options = "weights, smoothing, ignored"
    yield Target("Weights, smoothing and an ignored class", "options", SOFTMAX, options, "plain", None, most=1.2)
    every = NEAR + SMOOTH + COMPOSED
    second = ("The second derivative too", "orders", "gradient and second", "gradient")
    for elements in (K4, K64, M1):
        yield Target(second[0], second[1], every, *second[2:], elements, most=1.4)
    yield Target(second[0], second[1], SOFTMAX[:2], *second[2:], None, most=1.4)
    yield Target("One call on 32 elements, from Rust", "call", every, "lossfn", None, 32, most=100)
    yield Target("Two cores", "threads", SMOOTH + COMPOSED, "one", "all", M1, least=1.7)
    yield Target("Two cores", "threads", SOFTMAX[:2], "one", "all", None, least=1.7)
    files = [
        ("huber of a Parquet file", ("DuckDB", "Polars"), 2),
        ("huber of a Parquet file, by group", ("DuckDB", "Polars"), 1),
        ("softmax_cross_entropy of lists of 10 scores in a Parquet file", ("DuckDB", "Polars"), 2),
        ("huber of a CSV file", ("Polars",), 1),
    ]
    for work, engines, least in files:
        for engine in engines:
            yield from faster(work, "files", [work], engine, {None: least})


class Results:
    """What has been measured, by part, threads, work and elements."""

    def __init__(self, folder):
        self.parts = {}
        self.contests = {}
        for path in sorted(folder.glob("*-*.json")):
            part, threads = path.stem.split("-")
            self.parts[part, int(threads)] = result = json.loads(path.read_text())
            for record in result["contests"]:
                key = part, int(threads), record["work"], record["elements"]
                self.contests[key] = self.with_best_ceiling(record["times"])

    @staticmethod
    def with_best_ceiling(times):
        streaming = times.get("ceiling, streaming")
        if streaming and median(streaming) < median(times["ceiling"]):
            return times | {"ceiling": streaming}
        return times

    def threads(self):
        return sorted({threads for _, threads in self.parts})

    def find(self, part, threads, work, elements=None):
        """The elements and times of a contest."""
        for (a_part, a_threads, a_work, count), times in self.contests.items():
            if (a_part, a_threads, a_work) == (part, threads, work) and elements in (None, count):
                return count, times
        return None

    def works(self, part, threads):
        return [key[2:] for key in self.contests if key[:2] == (part, threads)]


def ratio(times, numerator, denominator):
    """The median of the ratios turn by turn, with its quartiles."""
    pairs = zip(times[numerator], times[denominator], strict=True)
    ratios = [above / below for above, below in pairs]
    low, middle, high = quantiles(ratios, n=4, method="inclusive")
    return low, middle, high


def short(number):
    if number >= 99.5:
        return f"{number:.0f}"
    return f"{number:.1f}" if number >= 9.95 else f"{number:.2f}"


def spread(low, middle, high):
    return f"{short(middle)} ({short(low)}-{short(high)})"


def name_of(work):
    return work.replace("softmax_cross_entropy ", "softmax ")


def size_of(elements):
    return SIZES.get(elements, f"{elements:,}".replace(",", " "))


def verdict(results, target, threads):
    """The work that is furthest from the target, and whether that reaches it."""
    found = []
    for work in target.works:
        contest = results.find(target.part, threads, work, target.elements)
        if contest is None:
            continue
        elements, times = contest
        needed = [target.numerator] + ([target.denominator] if target.denominator else [])
        if any(name not in times for name in needed):
            continue
        if target.denominator is None:
            per = 1 if target.part == "call" else elements
            found.append((median(times[target.numerator]) / per, work))
        else:
            found.append((ratio(times, target.numerator, target.denominator)[1], work))
    if not found:
        return None
    worst, work = min(found) if target.least is not None else max(found)
    reached = worst >= target.least if target.least is not None else worst <= target.most
    return worst, work, reached


def summary(results):
    threads = results.threads()
    heads = [f"{count} core{'s' if count > 1 else ''}" for count in threads]
    rows, reached, all_of_them = [], 0, 0
    for target in targets():
        unit = "x" if target.denominator else " ns"
        wanted = (
            f"at least {target.least:g}{unit}"
            if target.least is not None
            else f"at most {target.most:g}{unit}"
        )
        cells = []
        for count in threads:
            answer = verdict(results, target, count)
            if answer is None:
                cells.append("")
                continue
            worst, work, is_reached = answer
            reached += is_reached
            all_of_them += 1
            of = f" {name_of(work)}" if len(target.works) > 1 else ""
            text = f"{short(worst)}{unit}{of}"
            cells.append(text if is_reached else f"**missed:** {text}")
        if any(cells):
            size = size_of(target.elements) if target.elements else ""
            rows.append([name_of(target.group), target.beside, size, wanted, *cells])
    # A group is named once.
    last = None
    for row in rows:
        row[0], last = ("" if row[0] == last else row[0]), row[0]
    table = markdown(["work", "beside", "elements", "target", *heads], rows)
    return f"{reached} of {all_of_them} reached. Of several losses the one furthest from the target is shown.\n\n{table}"


def markdown(heads, rows):
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def value_and_gradient(results, threads):
    """The details: nanoseconds for each element, and ratios."""
    text = []
    for group, works in GROUPS.items():
        rows, peers = [], []
        for work in works:
            part = "softmax" if work in SOFTMAX else "pointwise"
            for elements in [None] if work in SOFTMAX else [K4, K64, M1, M16]:
                contest = results.find(part, threads, work, elements)
                if contest is None:
                    continue
                count, times = contest
                peers += [name for name in times if name not in ("lossfn", *peers)]
                row = {"lossfn": short(median(times["lossfn"]) / count)}
                for name in times:
                    if name != "lossfn":
                        nanoseconds = short(median(times[name]) / count)
                        row[name] = f"{nanoseconds}: {spread(*ratio(times, name, 'lossfn'))}"
                ceiling = results.find("ceiling", threads, work, elements)
                if ceiling:
                    row["ceiling"] = spread(*ratio(ceiling[1], "lossfn", "ceiling"))
                rows.append((name_of(work), size_of(count), row))
        if rows:
            heads = ["loss", "elements", "lossfn", "times the ceiling's", *peers]
            names = ["lossfn", "ceiling", *peers]
            cells = [[work, size, *(row.get(name, "") for name in names)] for work, size, row in rows]
            text.append(f"### {group}\n\n{markdown(heads, cells)}")
    return "\n".join(text)


def two_way(results, part, threads, numerator, denominator, heads):
    rows = []
    for work, elements in results.works(part, threads):
        _, times = results.find(part, threads, work, elements)
        below = short(median(times[denominator]) / elements)
        above = short(median(times[numerator]) / elements)
        cells = [below, above, spread(*ratio(times, numerator, denominator))]
        rows.append([name_of(work), size_of(elements), *cells])
    return markdown(["loss", "elements", *heads], rows) if rows else ""


def beside(results, part, threads, unit, scale):
    """A table of all contestants: times in a unit, and how many times ours they are."""
    rows, peers = [], []
    for work, elements in results.works(part, threads):
        _, times = results.find(part, threads, work, elements)
        peers += [name for name in times if name not in ("lossfn", *peers)]
        row = {"lossfn": short(median(times["lossfn"]) / scale(elements))}
        for name in times:
            if name != "lossfn":
                time = short(median(times[name]) / scale(elements))
                row[name] = f"{time}: {spread(*ratio(times, name, 'lossfn'))}"
        rows.append([name_of(work), size_of(elements), row])
    cells = [[*row[:2], *(row[2].get(name, "") for name in ["lossfn", *peers])] for row in rows]
    return markdown(["work", "elements" if unit == "ns" else "rows", f"lossfn, {unit}", *peers], cells)


def picture(results, threads, path):
    """Nanoseconds for each element over the number of elements, beside peers and ceiling."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    matplotlib.rcParams |= {"svg.hashsalt": "lossfn", "svg.fonttype": "none", "font.size": 9}
    shown = ["squared_error", "huber", "binary_cross_entropy_with_logits", "log_cosh", "poisson_log_link", "gaussian_nll"]
    styles = {
        "scikit-learn": ("#9a6fb0", "-"),
        "NumPy": ("#b0b0b0", "-"),
        "PyTorch": ("#d1603d", "-"),
        "PyTorch compiled": ("#d1603d", ":"),
        "JAX": ("#3d8f6d", "-"),
        "lossfn": ("#1f4e9c", "-"),
        "ceiling": ("#222222", "--"),
    }
    figure, axes = pyplot.subplots(2, 3, figsize=(9.6, 5.6), sharex=True, sharey=True)
    lines = {}
    for axis, work in zip(axes.flat, shown, strict=True):
        points = {}
        for part in ("pointwise", "ceiling"):
            for elements in (K4, K64, M1, M16):
                contest = results.find(part, threads, work, elements)
                for name, times in contest[1].items() if contest else ():
                    if name in styles and not (part == "ceiling" and name == "lossfn"):
                        points.setdefault(name, []).append((elements, median(times) / elements))
        for name, (colour, line) in styles.items():
            if name in points:
                width = 2.4 if name == "lossfn" else 1.3
                lines[name] = axis.plot(
                    *zip(*points[name], strict=True), line, color=colour, linewidth=width,
                    marker="o", markersize=width * 1.5, label=name,
                )[0]  # fmt: skip
        axis.set(xscale="log", yscale="log", title=work)
        axis.title.set_fontsize(9)
        axis.set_xticks([K4, K64, M1, M16], [SIZES[size] for size in (K4, K64, M1, M16)])
        axis.minorticks_off()
        axis.grid(True, color="#e6e6e6", linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
        axis.yaxis.set_major_formatter(lambda number, _: f"{number:g}")
    for axis in axes[:, 0]:
        axis.set_ylabel("ns per element")
    for axis in axes[1]:
        axis.set_xlabel("elements")
    order = [name for name in ("lossfn", "ceiling", *styles) if name in lines]
    order = list(dict.fromkeys(order))
    figure.legend([lines[name] for name in order], order, loc="upper center", ncols=7, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.95))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def machine(about):
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    caches = "; ".join(about["caches"])
    lines = [
        f"- {about['date']}, at commit {about['commit']}",
        f"- {about['processor']}, {about['cores']} cores, {about['widest']}; {about['memory']}; {caches}",
        f"- {about['system']}, {about['compiler']}, {about['python']}",
        f"- {versions}",
    ]
    return "\n".join(lines) + "\n"


INTRODUCTION = """<!-- Written by `python3 benchmarks/performance.py`; do not edit. -->

# How fast lossfn is

Value and gradient in f32, into memory of the caller, beside other libraries and beside a ceiling: the same
bytes read and written with no arithmetic. `python3 benchmarks/performance.py` measures it all and writes
this page; [how](../benchmarks/README.md).

All that is compared takes turns in one process, call by call, with the same number of threads on the same
number of cores. Ratios are taken turn by turn; what is given is their median, with the quartiles in
parentheses where there is room.
"""


def page(results, about, output):
    threads = results.threads()
    text = [INTRODUCTION, machine(about)]
    if any(result["quick"] for result in results.parts.values()):
        text.append("**Measured with `--quick`: for trying the benchmark out, not for its figures.**\n")
    text.append(f"## Targets\n\n{summary(results)}")
    notes = Path(__file__).parent / "notes.md"
    if notes.exists():
        text.append(f"## What was missed, and why\n\n{notes.read_text()}")
    drawn = [count for count in threads if ("pointwise", count) in results.parts]
    if drawn:
        image = output.parent / "images" / "performance.svg"
        picture(results, drawn[0], image)
        cores = "one core" if drawn[0] == 1 else f"{drawn[0]} cores"
        text.append(
            f"## Value and gradient\n\n![Nanoseconds per element by number of elements](images/{image.name})\n\n"
            f"On {cores}. Below, nanoseconds for each element; behind a colon how many times ours that is.\n"
        )
    for count in threads:
        details = value_and_gradient(results, count)
        if details:
            text.append(f"## On {count} core{'s' if count > 1 else ''}\n\n{details}")

    def section(heading, part, write):
        for count in threads:
            if (part, count) in results.parts:
                cores = f"{count} core{'s' if count > 1 else ''}"
                text.append(f"## {heading}, {cores}\n\n{write(count)}")

    section(
        "Beside Rust libraries", "peers",
        lambda count: "Of burn its flex back end, since its ndarray back end is deprecated; `ndarray` is a "
        "plain loop on one thread. Nanoseconds for each element, and how many times ours that is.\n\n"
        + beside(results, "peers", count, "ns", lambda elements: elements),
    )  # fmt: skip
    section(
        "The second derivative too", "orders",
        lambda count: two_way(
            results, "orders", count, "gradient and second", "gradient",
            ["value and gradient, ns", "and second, ns", "ratio"],
        ),
    )  # fmt: skip
    section(
        "Weights, smoothing and an ignored class", "options",
        lambda count: two_way(
            results, "options", count, "weights, smoothing, ignored", "plain",
            ["plain, ns", "with all three, ns", "ratio"],
        ),
    )  # fmt: skip
    section(
        "One thread and all", "threads",
        lambda count: two_way(
            results, "threads", count, "one", "all", ["all, ns", "one, ns", "times as fast"]
        ),
    )  # fmt: skip
    section(
        "One call on 32 elements, from Rust", "call",
        lambda count: markdown(
            ["loss", "ns a call"],
            [
                [work, short(median(results.find("call", count, work, elements)[1]["lossfn"]))]
                for work, elements in results.works("call", count)
            ],
        ),
    )  # fmt: skip
    section(
        "Files: `lossfn eval`", "files",
        lambda count: "Seconds for a whole run of the program, and for a query in the running engine; and "
        "how many times ours that is.\n\n"
        + beside(results, "files", count, "s", lambda _: 1e9),
    )  # fmt: skip
    section(
        "Linear and cross-entropy in one", "linear",
        lambda count: "```text\n" + results.parts["linear", count]["text"] + "\n```\n",
    )  # fmt: skip
    seconds = {key: result["seconds"] for key, result in results.parts.items()}
    took = ", ".join(f"{part} ({count}) {time} s" for (part, count), time in seconds.items())
    text.append(
        "## Instructions\n\nTimings are noisy, counts are not: "
        "[instructions for each element](../benchmarks/counts/counts.csv) of every loss are kept, and CI fails "
        "if one rises by more than 5 %.\n"
    )
    text.append(f"## How long it took\n\n{took}; together {sum(seconds.values()) / 60:.0f} min.\n")
    output.write_text("\n".join(text))


def main():
    folder, output = Path(sys.argv[1]), Path(sys.argv[2])
    about = json.loads((folder / "about.json").read_text())
    page(Results(folder), about, output)


if __name__ == "__main__":
    main()
