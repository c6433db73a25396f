#!/usr/bin/env python3
"""Whether the fuzz targets find bugs: plants those of bugs.toml in a copy of pop3-proto, one at a time, and says which
targets find each.

    pop3-proto-fuzz/planted/run.py                   # replays the corpus with each bug; what that misses is fuzzed for
    pop3-proto-fuzz/planted/run.py P2 P31 STLS       # the bugs of these promises, or with this word
    pop3-proto-fuzz/planted/run.py --record          # puts the table into docs/fuzzing.md
    pop3-proto-fuzz/planted/run.py --check           # only whether each bug can still be planted; builds nothing

All bugs are built into one program, and an environment variable switches one on: no build of pop3-proto has them. Needs
python3 and what build.sh needs. Fails when a bug is not found.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "fuzzing.md"
WORK = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "planted"
TREE = WORK / "tree"
SWITCH = '''//! Which bug is on.

extern crate std;

static CHOSEN: std::sync::OnceLock<u32> = std::sync::OnceLock::new();

pub(crate) fn on(bug: u32) -> bool {
    *CHOSEN.get_or_init(|| std::env::var("PLANTED").ok().and_then(|bug| bug.parse().ok()).unwrap_or(0)) == bug
}
'''
TARGETS = re.findall(r'^path = "fuzz_targets/(.*)\.rs"', (HERE.parent / "Cargo.toml").read_text(), re.MULTILINE)
BROKEN = re.compile(r"(?:corpus|regressions)/(\w+)/(\S+): (?:(.*?) is broken|panicked)")
LONG = 120  # seconds: a replay takes less than one


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("words", nargs="*", help="only the bugs of these promises, or that have one of these words")
    parser.add_argument("--seconds", type=int, default=60, help="how long each target is fuzzed for what a replay misses")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many run at a time")
    parser.add_argument("--record", action="store_true", help="put the table into docs/fuzzing.md")
    parser.add_argument("--check", action="store_true", help="only whether each bug can be planted")
    options = parser.parse_args()

    bugs, sources = planted()
    print(f"{len(bugs)} bugs can be planted")
    if options.check:
        return
    if options.words:
        bugs = [bug for bug in bugs if any(word == bug["promise"] or word in bug["what"] for word in options.words)]
    copy(sources)
    replay = build_replay()
    clean = found_by_replay(replay, 0)
    if clean:
        sys.exit(f"without a bug the replay finds something: {clean}")
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for bug, targets in zip(bugs, pool.map(lambda bug: found_by_replay(replay, bug["id"]), bugs)):
            bug["how"], bug["targets"] = "replay" if targets else "not at all", targets
    fuzz_for([bug for bug in bugs if not bug["targets"]], options)
    report(bugs, options.record)
    missed = [bug for bug in bugs if not bug["targets"]]
    for bug in missed:
        print(f"NOT FOUND: {bug['promise']}: {bug['what']}", file=sys.stderr)
    sys.exit(1 if missed else 0)


def planted():
    """The bugs, numbered from 1, and the sources of pop3-proto with all of them in it."""
    listed = tomllib.loads((HERE / "bugs.toml").read_text())
    folder = ROOT / "pop3-proto" / "src"
    sources = {path.relative_to(folder): path.read_text() for path in sorted(folder.rglob("*.rs"))}
    misplaced = []
    for number, bug in enumerate(listed["prelude"] + listed["bug"], 1 - len(listed["prelude"])):
        bug["id"] = number
        find, put = (bug[key].removesuffix("\n") for key in ("find", "put"))
        places = [path for path, text in sources.items() for _ in range(text.count(find))]
        if len(places) != 1:
            name = f"{bug['promise']}: {bug['what']}" if "what" in bug else "the prelude"
            misplaced.append(f"{name}: this stands {len(places)} times in pop3-proto/src, and must stand there once:\n{find}")
            continue
        put = re.sub(r"\bON\b", f"crate::planted::on({number})", put)
        sources[places[0]] = sources[places[0]].replace(find, put)
    if misplaced:
        sys.exit("\n".join(misplaced))
    return listed["bug"], sources


def copy(sources):
    """A workspace of the two crates. Files that are the same stay as they are, for cargo's sake."""
    library = pathlib.Path("pop3-proto/src")
    files = {library / path: text.encode() for path, text in sources.items()}
    root = files[library / "lib.rs"].decode()
    files[library / "lib.rs"] = root.replace("\npub mod wire;", "\nmod planted;\npub mod wire;", 1).encode()
    assert b"mod planted;" in files[library / "lib.rs"]
    files[library / "planted.rs"] = SWITCH.encode()
    # What examples, tests and benchmarks need is not needed here.
    manifest = (ROOT / "pop3-proto/Cargo.toml").read_text()
    manifest = re.sub(r"^(\[dev-dependencies\]\n(?:.+\n)*|\[\[[a-z]+\]\]\n(?:.+\n)*|readme.*\n)", "", manifest, flags=re.MULTILINE)
    files[pathlib.Path("pop3-proto/Cargo.toml")] = manifest.encode()
    manifest = (ROOT / "Cargo.toml").read_text()
    manifest = re.sub(r"^(members = ).*", r'\1["pop3-proto", "pop3-proto-fuzz"]', manifest, flags=re.MULTILINE)
    manifest = re.sub(r"^(exclude|default-members) = .*\n", "", manifest, flags=re.MULTILINE)
    files[pathlib.Path("Cargo.toml")] = manifest.encode()
    files[pathlib.Path("Cargo.lock")] = (ROOT / "Cargo.lock").read_bytes()
    fuzz = ROOT / "pop3-proto-fuzz"
    for folder in ("src", "fuzz_targets", "tests", "corpus", "regressions", "dict"):
        for path in (fuzz / folder).rglob("*"):
            if path.is_file():
                files[path.relative_to(ROOT)] = path.read_bytes()
    for name in ("Cargo.toml", "instrument.sh"):
        files[pathlib.Path("pop3-proto-fuzz") / name] = (fuzz / name).read_bytes()
    for path in TREE.rglob("*"):
        if path.is_file() and path.relative_to(TREE) not in files:
            path.unlink()
    for path, octets in files.items():
        place = TREE / path
        if not place.is_file() or place.read_bytes() != octets:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(octets)
    shutil.copymode(fuzz / "instrument.sh", TREE / "pop3-proto-fuzz" / "instrument.sh")


def cargo(*arguments, flags, **environment):
    environment = {**os.environ, "RUSTFLAGS": f"--cap-lints warn {flags}", **environment}
    return subprocess.run(["cargo", *arguments], cwd=TREE, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def build_replay():
    """The test that replays the corpus."""
    said = cargo(
        "test", "--offline", "--quiet", "--profile", "fuzz", "--target-dir", str(WORK / "replay"), "-p", "pop3-proto-fuzz",
        "--test", "corpus", "--no-run", "--message-format", "json-render-diagnostics", flags="-A warnings",
    )
    return re.findall(r'"name":"corpus".*"executable":"([^"]*)"', said)[-1]


def build_fuzzers():
    cargo(
        "build", "--offline", "--quiet", "--profile", "fuzz", "--target-dir", str(WORK / "fuzz"), "-p", "pop3-proto-fuzz", "--bins",
        flags="-A warnings --cfg fuzzing", RUSTC_WRAPPER=str(TREE / "pop3-proto-fuzz" / "instrument.sh"),
    )
    return WORK / "fuzz" / "fuzz"


def found_by_replay(program, bug):
    """The targets with an input that breaks a promise, and how many such inputs each has."""
    environment = {**os.environ, "PLANTED": str(bug), "RUST_BACKTRACE": "0"}
    environment["CARGO_MANIFEST_DIR"] = str(TREE / "pop3-proto-fuzz")
    try:
        said = subprocess.run(
            [program, "every_input", "what_broke_once"], env=environment, cwd=TREE / "pop3-proto-fuzz", timeout=LONG,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"(a replay without end)": 1}
    targets = {}
    for target, _input, _promise in BROKEN.findall(said.stdout):
        targets[target] = targets.get(target, 0) + 1
    if said.returncode and not targets:
        return {"(a crash)": 1}
    return targets


def fuzz_for(bugs, options):
    """Fuzzes each target for what no input of the corpus shows."""
    if not bugs:
        return
    programs = build_fuzzers()

    def fuzz(job):
        bug, target = job
        options_of = TREE / "pop3-proto-fuzz" / "fuzz_targets" / f"{target}.options"
        length = re.search(r"max_len = (\d+)", options_of.read_text()).group(1)
        learned = WORK / "learned" / str(bug["id"]) / target
        shutil.rmtree(learned, ignore_errors=True)
        learned.mkdir(parents=True)
        said = subprocess.run(
            [programs / target, learned, TREE / "pop3-proto-fuzz" / "corpus" / target, f"-max_len={length}",
             f"-dict={TREE / 'pop3-proto-fuzz' / 'dict' / 'pop3.dict'}", f"-artifact_prefix={learned}/", "-entropic=0",
             "-reduce_inputs=0", "-print_final_stats=1", f"-max_total_time={options.seconds}"],
            env={**os.environ, "PLANTED": str(bug["id"]), "RUST_BACKTRACE": "0"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace",
        )  # fmt: skip
        runs = re.search(r"number_of_executed_units: *(\d+)", said.stdout)
        return said.returncode != 0, int(runs.group(1)) if runs else 0

    jobs = [(bug, target) for bug in bugs for target in bug.get("fuzz", TARGETS)]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for (bug, target), (found, runs) in zip(jobs, pool.map(fuzz, jobs)):
            if found:
                bug["targets"][target] = 1
                bug["how"] = f"{runs} executions"


def report(bugs, record):
    rows = ["| promise | what was broken | found by | how |", "|---|---|---|---|"]
    for bug in bugs:
        targets = ", ".join(f"`{target}`" if target in TARGETS else target for target in bug["targets"]) or "nothing"
        rows.append(f"| {bug['promise']} | {bug['what']} | {targets} | {bug['how']} |")
    counts = {target: sum(target in bug["targets"] for bug in bugs) for target in TARGETS}
    replayed = sum(bug["how"] == "replay" for bug in bugs)
    rows.append(f"\nOf {len(bugs)} bugs a replay finds {replayed}. Found by each target:")
    rows[-1] += ",".join(f" {count} by `{target}`" for target, count in counts.items()) + "."
    print("\n".join(rows))
    if record:
        page = PAGE.read_text()
        begin, end = "<!-- planted -->\n", "<!-- end of planted -->"
        front, behind = page.split(begin, 1)
        PAGE.write_text(front + begin + "\n".join(rows) + "\n" + end + behind.split(end, 1)[1])


if __name__ == "__main__":
    main()
