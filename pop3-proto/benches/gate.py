#!/usr/bin/env python3
"""Counts the instructions of every row under callgrind and holds them against the baseline.

    pop3-proto/benches/gate.py [--renew] [--only TEXT] [--without-std | --with-std]
    pop3-proto/benches/gate.py --markdown

Prints, for pop3-proto with its feature `std` and without: instructions a unit, the goal, the baseline, the change. Fails when a
row costs more than 3 % more than baseline.json says, or when rows and baseline do not match. A row that misses its goal is
marked and fails nothing: docs/performance.md says what limits it.

--renew writes baseline.json anew: after a change that makes rows cheaper, or that costs something and is worth it (say so in the
commit). --markdown counts nothing: it writes the table of docs/performance.md from
baseline.json. A page that is not what it would write fails the gate. --only counts the rows whose name holds the text, and leaves the others of the baseline as they are. The baseline knows the compiler, the libraries, the valgrind and the
vector instructions it was made with; where they differ, that is said, and a row fails only at 25 %.

Why not gungraun: it counts each row in processes of its own and needs a runner of the same version to be installed. Here callgrind
writes a dump whenever the function `measured` returns, so that one run counts all rows, and nothing is installed.
"""

import argparse
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TARGET = HERE.parent.parent / "target" / "benches"
BASELINE = HERE / "baseline.json"
PAGE = HERE.parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- instructions: begin -->\n", "<!-- instructions: end -->\n"
VARIANTS = {"std": [], "no std": ["--no-default-features"]}
LIMIT, LIMIT_ELSEWHERE = 1.03, 1.25
# What memchr asks the processor for.
VECTORS = ("sse2", "avx2")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--renew", action="store_true")
    arguments.add_argument("--markdown", action="store_true")
    arguments.add_argument("--only", default="")
    which = arguments.add_mutually_exclusive_group()
    which.add_argument("--without-std", dest="variants", action="store_const", const=["no std"])
    which.add_argument("--with-std", dest="variants", action="store_const", const=["std"])
    arguments = arguments.parse_args()

    if arguments.markdown:
        PAGE.write_text(page(json.loads(BASELINE.read_text())))
        return 0

    here = environment()
    stored = json.loads(BASELINE.read_text()) if BASELINE.exists() else {"environment": here, "rows": {}}
    limit = LIMIT
    if stored["environment"] != here and not arguments.renew:
        limit = LIMIT_ELSEWHERE
        print("#" * 100)
        print("#  The baseline was made elsewhere: a row fails at 25 %, not at 3 %.")
        for what in sorted(here):
            if here[what] != stored["environment"].get(what):
                print(f"#  {what}: {here[what]}; baseline: {stored['environment'].get(what)}")
        print("#" * 100)

    complaints, counted, goals = [], {}, {}
    for variant in arguments.variants or VARIANTS:
        rows = count(VARIANTS[variant], arguments.only)
        baseline = stored["rows"].get(variant, {})
        counted[variant] = {row["name"]: row["each"] for row in rows}
        goals |= {row["name"]: row["goal"] for row in rows if row["goal"] is not None}
        complaints += show(variant, rows, baseline, limit)
        gone = [name for name in baseline if arguments.only in name and name not in counted[variant]]
        complaints += [f"{variant}: no row {name}, which the baseline has" for name in gone]

    if arguments.renew:
        stored["environment"] = here
        for variant, each in counted.items():
            kept = stored["rows"].get(variant, {})
            stored["rows"][variant] = {name: cost for name, cost in kept.items() if arguments.only not in name} | each
        kept = {name: goal for name, goal in stored.get("goals", {}).items() if arguments.only not in name}
        stored["goals"] = dict(sorted((kept | goals).items()))
        BASELINE.write_text(json.dumps(stored, indent=1) + "\n")
        PAGE.write_text(page(stored))
        print(f"\nrenewed {BASELINE.name} and the table of {PAGE.name}")
        return 0
    if PAGE.read_text() != page(stored):
        complaints.append(f"{PAGE.name} is not what {BASELINE.name} says (see --markdown)")
    for complaint in complaints:
        print(f"error: {complaint}", file=sys.stderr)
    return 1 if complaints else 0


def page(stored):
    """docs/performance.md with the table of these rows."""
    before, table = PAGE.read_text().split(BEGIN)
    _, behind = table.split(END)
    made = stored["environment"]
    lines = [
        f"Counted with {made['rustc']}, {made['valgrind']}, memchr {made['memchr']}, nom {made['nom']}, {made['processor']}.",
        "",
        "| row | goal | std | without std |",
        "|---|---|---|---|",
    ]
    for name in stored["rows"]["std"]:
        goal = stored["goals"].get(name)
        cells = [cell(stored["rows"][variant].get(name), goal) for variant in VARIANTS]
        lines.append(f"| {name} | {'' if goal is None else f'{goal:g}'} | {' | '.join(cells)} |")
    return before + BEGIN + "\n".join(lines) + "\n" + END + behind


def cell(each, goal):
    if each is None:
        return ""
    return f"{each:.3g}" + (" (missed)" if goal is not None and each > goal else "")


def environment():
    """What the counts depend on beside our own code."""
    lock = (HERE / "Cargo.lock").read_text()
    versions = {name: version for name, version in re.findall(r'name = "(\w+)"\nversion = "([^"]+)"', lock)}
    flags = set()
    if os.path.exists("/proc/cpuinfo"):
        flags = set(re.search(r"^(?:flags|Features)\s*:(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)[1].split())
    return {
        "rustc": output("rustc", "-V"),
        "valgrind": output("valgrind", "--version"),
        "memchr": versions["memchr"],
        "nom": versions["nom"],
        "processor": " ".join([platform.machine(), *(flag for flag in VECTORS if flag in flags)]),
    }


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def count(features, only):
    """Builds the rows with these features, and counts the instructions of each."""
    # `--without-std` must not run what another variant left behind: a directory for each.
    target = TARGET / ("default" if not features else "bare")
    environ = {name: value for name, value in os.environ.items() if name not in ("RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS")}
    build = ["cargo", "build", "--quiet", "--release", "--locked", "--bin", "instructions"]
    build += ["--manifest-path", str(HERE / "Cargo.toml"), "--target-dir", str(target), *features]
    subprocess.run(build, check=True, env=environ)
    with tempfile.TemporaryDirectory() as dumps:
        here = pathlib.Path(dumps)
        callgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={here}/dump"]
        callgrind += ["--toggle-collect=*instructions::measured", "--dump-after=*instructions::measured"]
        run = subprocess.run([*callgrind, target / "release" / "instructions", only], capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(f"error: the rows did not run\n{run.stdout}{run.stderr}")
        rows = []
        for part, line in enumerate(run.stdout.splitlines(), 1):
            name, unit, units, goal = line.split("\t")
            dump = here / f"dump.{part}"
            totals = re.search(r"^totals: (\d+)$", dump.read_text(), re.M) if dump.exists() else None
            if totals is None or int(totals[1]) == 0:
                sys.exit(f"error: callgrind counted nothing for {name}")
            each = round(int(totals[1]) / int(units), 4)
            rows.append({"name": name, "unit": unit, "each": each, "goal": None if goal == "-" else float(goal)})
        return rows


def shown(number):
    return "-" if number is None else f"{number:.4g}"


def show(variant, rows, baseline, limit):
    """Prints the rows, and returns what is to be complained of."""
    complaints = []
    print(f"\n{variant:<68}{'Ir':>9}  per      goal  baseline  change")
    for row in rows:
        name, each, goal, before = row["name"], row["each"], row["goal"], baseline.get(row["name"])
        missed = "  goal missed" if goal is not None and each > goal else ""
        change = "new" if before is None else f"{(each / before - 1) * 100:+.1f} %"
        print(f"{name:<68}{each:>9.4g}  {row['unit']:<6}{shown(goal):>7}{shown(before):>10}  {change}{missed}")
        if before is None:
            complaints.append(f"{variant}: {name}: not in the baseline (see --renew)")
        elif each > before * limit:
            complaints.append(f"{variant}: {name}: {each} instructions a {row['unit']}, {before} before")
    return complaints


if __name__ == "__main__":
    sys.exit(main())
