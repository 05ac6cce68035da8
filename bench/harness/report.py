"""The table of results."""

import datetime
import os
import pathlib
import platform
import statistics
import subprocess


def describe(servers, quick, rounds):
    """What was measured, where and when."""
    def version(binary):
        done = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False)
        return (done.stdout or done.stderr).splitlines()[0]

    cpus = [line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False,
                            cwd=pathlib.Path(__file__).parent).stdout.strip()
    return {
        "date": datetime.date.today().isoformat(),
        "machine": f"{os.cpu_count()} × {cpus[0] if cpus else 'CPU'}, "
                   f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB, "
                   f"{platform.system()} {platform.release()}",
        "stock": version(servers["stock"]),
        "tandem": f"{version(servers['tandem'])}, commit {commit}",
        "rounds": f"{rounds}{', quick' if quick else ''}",
    }


def _number(value):
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _cell(values):
    if not values:
        return "-"
    median = _number(statistics.median(values))
    if len(values) == 1:
        return median
    return f"{median} ({_number(min(values))}-{_number(max(values))})"


def verdict(figure, stock, tandem):
    """The ratio, the target, and whether the medians meet it. STOCK may be missing."""
    ratio = None if stock is None else tandem / stock if stock else float("inf") if tandem else 1
    target, met = "", None
    if figure.target is not None and ratio is not None:
        target = f"{'≥' if figure.at_least else '≤'} {figure.target:g}"
        met = ratio >= figure.target if figure.at_least else ratio <= figure.target
    for bound, sign, holds in ((figure.most, "≤", lambda b: tandem <= b), (figure.least, "≥", lambda b: tandem >= b)):
        if bound is None:
            continue
        sign, shown = ("> ", "0") if bound == 1e-9 else (f"{sign} ", f"{bound:g}")
        target += f"{', ' if target else ''}{sign}{shown} itself"
        met = holds(bound) and met is not False
    return "" if ratio is None else f"{ratio:.3g}", target, "" if met is None else "yes" if met else "**no**"


def table(result, all_scenarios):
    """The scenarios that were measured, as a page."""
    about, measured = result["about"], result["runs"]
    chosen = [s for s in all_scenarios("quick" in about["rounds"]) if s.name in measured]
    lines = ["# Tandem beside ovsdb-server", "",
             "Made by `bench/run`, which starts both servers in turn on the same files; every answer was checked.",
             "Median (least-most) of the rounds; CPU is that of all threads of the server.", ""]
    lines += [f"- {name}: {text}" for name, text in about.items() if name != "later"]
    lines += [f"- measured again on {later['date']}, {later['rounds']} rounds, {later['tandem']}: {', '.join(later['scenarios'])}"
              for later in about.get("later", [])]
    lines += ["", "| scenario | figure | stock | Tandem | ratio | target | met |",
              "| --- | --- | ---: | ---: | ---: | --- | --- |"]
    for scenario in chosen:
        runs = measured[scenario.name]
        title = scenario.title
        for figure in scenario.figures:
            if figure.key not in runs["tandem"][0]:  # measured before this figure was
                continue
            stock, tandem = ([run[figure.key] for run in runs[name] if figure.key in run] for name in ("stock", "tandem"))
            ratio, target, met = verdict(figure, statistics.median(stock) if stock else None, statistics.median(tandem))
            lines.append(f"| {title} | {figure.title} | {_cell(stock)} | {_cell(tandem)} | {ratio} | {target} | {met} |")
            title = ""
    return "\n".join(lines) + "\n"


def scaling_table(result):
    """The points of all series."""
    about = result["about"]
    lines = ["", "## How costs grow", "",
             "Made by `bench/run --scaling`; the stock server as far as it is practical.", "",
             *(f"- {name}: {text}" for name, text in about.items()), ""]
    for series in result["series"]:
        lines += [f"### {series['title'].capitalize()}", "",
                  f"| {series['quantity']} | server | {' | '.join(series['figures'].values())} |",
                  f"| ---: | --- |{' ---: |' * len(series['figures'])}"]
        points = sorted(((point["x"], name, point) for name, of in series["points"].items() for point in of),
                        key=lambda entry: entry[:2])
        for value, name, point in points:
            lines.append(f"| {value:,} | {name} | {' | '.join(_number(point[key]) for key in series['figures'])} |")
        lines.append("")
    return "\n".join(lines)
