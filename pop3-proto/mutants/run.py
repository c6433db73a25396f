#!/usr/bin/env python3
"""Which small bugs in pop3-proto/src no test notices, within the hour:

    pop3-proto/mutants/run.py                        # all; writes target/mutants/report.md
    pop3-proto/mutants/run.py client/ server.rs      # those whose name has one of these words
    pop3-proto/mutants/run.py --one-by-one           # behind such a run: constants, each compiled alone
    pop3-proto/mutants/run.py --counts               # behind such a run: of what was missed, what costs more

The mutants are those that cargo-mutants lists, all built into one program, in which one at a time is switched on
(src/main.rs). Each is run with the tests that reach it, the quick ones first, until one fails. All features; the unit tests
and the tests of tests/in-process.sh. What no test reaches with all features is tried with the unit tests of a second
program, without `std`. tests/mutants.sh is the slow way: cargo-mutants itself, one build for each.

A mutant that changes nothing but what it costs passes these tests. --counts plants each that was missed alone, and asks
benches/gate.py, which fails when a row costs 3 % more instructions than its baseline, and then tests/allocations.rs.

Needs cargo-mutants (cargo install --locked cargo-mutants); --counts needs valgrind. The switch asks the compiler for an
unstable intrinsic, which is why RUSTC_BOOTSTRAP is set; nothing but this program is built so.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import datetime
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "mutants"
TREE = WORK / "tree"
KILLERS = WORK / "killers.json"
REFUSED = WORK / "refused.json"
FAIL_FAST = ["-Z", "unstable-options", "--fail-fast"]
RECORD = str(2**32 - 1)
# A test that takes so many seconds of processor time is asked only whether it catches again what it caught before.
LONG = 20
NO_SWITCH = "cannot be switched"
UNDER_TEST = {
    **os.environ,
    "RUSTC_BOOTSTRAP": "1",  # --fail-fast of the test harness
    "RUST_BACKTRACE": "0",
    "PROPTEST_MAX_SHRINK_ITERS": "0",
    "PROPTEST_FAILURE_PERSISTENCE": "off",
    "CARGO_MANIFEST_DIR": str(TREE / "pop3-proto"),
}
BUILDING = {**os.environ, "RUSTC_BOOTSTRAP": "1", "RUSTFLAGS": "--cap-lints warn", "CARGO_INCREMENTAL": "0"}
CORE = ["--offline", "--package", "pop3-proto", "--target-dir", str(WORK / "target")]
ALL = ["--all-features"]
GATE = TREE / "pop3-proto/benches/gate.py"
# Which rows of the gate are about what.
ROWS = {
    r"wire/dot/stuff": "server ",
    r"wire/dot|client\.rs": "client ",
    r"client/|grammar/(listing|capability)": "client, ",
    r"server|grammar/command": "server, ",
}
# What the promises cannot do without: every mutant of these is to be caught.
GROUPS = {
    "STLS": r"(?i)tls|after_ok|client/policy\.rs",
    "byte-stuffing": r"src/wire/dot",
    "limits": r"(?i)limit|too_?long|src/wire/line\.rs",
    "numbers": r"(?i)number",
    "APOP": r"(?i)md5\.rs|apop|timestamp|digest",
}
QUESTION = re.compile(r"switch::on\((\d+)\)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("words", nargs="*", help="only mutants whose name has one of these words")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many run at a time")
    parser.add_argument("--one-by-one", action="store_true", help="run what cannot be switched, a build for each")
    parser.add_argument("--counts", action="store_true", help="ask what was missed for its cost")
    options = parser.parse_args()

    mutants = listed()
    chosen = [m for m in mutants if not options.words or any(word in m["name"] for word in options.words)]
    copy_tree()
    if options.one_by_one or options.counts:
        results, reasons = last_run(mutants)
    else:
        results, reasons = run_switched(mutants, chosen, options.jobs)
    if options.one_by_one:
        results.update(run_alone([m for m in chosen if reasons.get(m["id"]) == NO_SWITCH], reasons))
    if options.counts:
        found = run_counts([m for m in chosen if results.get(m["id"], [""])[0] == "missed"], reasons)
        results = {number: result for number, result in (results | found).items() if number not in reasons}
    report(chosen, results, reasons)


def run_switched(mutants, chosen, jobs):
    left_out, reasons = build_all(mutants)
    # The compiler evaluates a constant, and no switch is on then.
    constants = {m["id"] for m in mutants if not m["function"]} - left_out
    left_out |= constants
    reasons.update(dict.fromkeys(constants, NO_SWITCH))
    programs = build_tests("--test", "all", *ALL)
    results = ask_killers([m for m in chosen if m["id"] not in left_out], programs, jobs)
    those = [m for m in chosen if m["id"] not in left_out and m["id"] not in results]
    reach, seconds = who_reaches_what(programs, jobs)
    if any(m["id"] not in reach for m in those):
        # What no test reaches may be code that is there without `std` only.
        second, more = who_reaches_what(build_tests(*without_std()), jobs)
        reach = second | reach
        seconds |= more
    return results | run_all(those, reach, seconds, jobs), reasons


def last_run(mutants):
    """What the run found that these sources had."""
    path = WORK / "results.json"
    last = json.loads(path.read_text()) if path.exists() else {}
    if last.get("sources") != sources():
        sys.exit("first a run without options: there is none of these sources")
    results, reasons = {}, {}
    for mutant in mutants:
        outcome, by = last["mutants"].get(mutant["name"], ("not run", "not asked for"))
        if outcome == "not run":
            reasons[mutant["id"]] = by
        else:
            results[mutant["id"]] = outcome, by
    return results, reasons


def sources():
    files = sorted((ROOT / "pop3-proto/src").rglob("*.rs"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def listed():
    WORK.mkdir(parents=True, exist_ok=True)
    command = ["cargo", "mutants", "--list", "--json", "--package", "pop3-proto", "--file", "pop3-proto/src/**"]
    mutants = json.loads(run(command, ROOT).stdout)
    (WORK / "list.json").write_text(json.dumps(mutants))
    again = collections.Counter()
    for number, mutant in enumerate(mutants, 1):
        mutant["id"] = number
        # A name that stays when lines are added above.
        name = re.sub(r":\d+:\d+:", ":", mutant["name"])
        again[name] += 1
        mutant["key"] = f"{name} #{again[name]}"
    return mutants


def without_std():
    features = tomllib.loads((ROOT / "pop3-proto/Cargo.toml").read_text())["features"]
    names = [name for name, of in features.items() if name not in ("default", "std") and "std" not in of]
    return ["--no-default-features", "--features", ",".join(names)]


def run(command, cwd, env=None, check=True):
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, errors="replace")
    if check and done.returncode:
        sys.exit(f"{command}: {done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done


# --- The program with all mutants in it ---------------------------------------------------------------------------------


def copy_tree():
    """A copy of the repository that has pop3-proto alone, its tests in one program, and no dependency but theirs."""
    shutil.rmtree(TREE, ignore_errors=True)
    files = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "Cargo.*", "README.md", "docs", "pop3-proto"]
    for name in run(files, ROOT).stdout.splitlines():
        if (ROOT / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, TREE / name)
    tests = TREE / "pop3-proto/tests"
    names = run([ROOT / "pop3-proto/tests/in-process.sh"], ROOT).stdout.split()
    modules = "".join(f'#[path = "{name}.rs"]\nmod {name};\n' for name in names)
    (tests / "all.rs").write_text(f"#![allow(warnings)]\n{modules}")
    sources = [(tests / f"{name}.rs").read_text() for name in [*names, "allocations"]]
    shared = {path for source in sources for path in re.findall(r'#\[path = "(.*)"\]', source)}
    sources += [path.read_text() for path in [*(TREE / "pop3-proto/src").rglob("*.rs"), *(tests / name for name in shared)]]
    words = "\n".join(sources)

    manifest = TREE / "pop3-proto/Cargo.toml"
    head, rest = manifest.read_text().split("[dev-dependencies]\n", 1)
    wanted = [
        line
        for line in rest.split("\n\n", 1)[0].splitlines()
        if re.search(rf"\b{re.split(r'[ .]', line)[0].replace('-', '_')}::", words) and "package =" not in line
    ]
    head = head.replace("[package]\n", "[package]\nautotests = false\nautoexamples = false\n", 1)
    manifest.write_text("\n".join([f"{head}[dev-dependencies]", *wanted, '\n[[test]]\nname = "all"\n\n[[test]]\nname = "allocations"\n']))

    workspace = TREE / "Cargo.toml"
    text = re.sub(r"^(default-members|exclude) = .*\n", "", workspace.read_text(), flags=re.M)
    text = re.sub(r"^members = .*", 'members = ["pop3-proto"]', text, flags=re.M)
    workspace.write_text(text + "\n[profile.dev]\nopt-level = 1\ndebug = 0\n")


def build_all(mutants):
    """Leaves out, round by round, what the compiler refuses. Returns the numbers left out, and why."""
    # What the compiler refused the last time it refuses again, if its file is as it was; the rounds find the others.
    before = json.loads(REFUSED.read_text()) if REFUSED.exists() else {}
    files = {file: hashlib.sha256((ROOT / file).read_bytes()).hexdigest() for file in {m["file"] for m in mutants}}
    asked = {mutant["id"]: f"{mutant['key']} in {files[mutant['file']]}" for mutant in mutants}
    reasons = {number: before[key] for number, key in asked.items() if key in before}
    left_out = set(reasons)
    for _ in range(60):
        for number in write_switched(left_out):
            left_out.add(number)
            reasons[number] = NO_SWITCH
        for features in (ALL, without_std()):
            checked = run(["cargo", "check", "--message-format=json", *CORE, *features], TREE, BUILDING, check=False)
            if checked.returncode:
                break
        else:
            print(f"{len(mutants)} mutants, {len(mutants) - len(left_out)} in one program", flush=True)
            refused = [m for m in mutants if reasons.get(m["id"], NO_SWITCH) != NO_SWITCH]
            REFUSED.write_text(json.dumps({asked[m["id"]]: reasons[m["id"]] for m in refused}, indent=0))
            return left_out, reasons
        refused = blamed(checked.stdout)
        new = {number: why for number, why in refused.items() if number not in left_out}
        if not new:
            messages = [json.loads(line).get("message") or {} for line in checked.stdout.splitlines()]
            errors = [message["rendered"] for message in messages if message.get("level") == "error"]
            sys.exit("\n".join(["no mutant is to blame:", *errors, checked.stderr[-3000:]]))
        print(f"{len(new)} mutants do not compile", flush=True)
        left_out |= set(new)
        reasons.update(new)
    sys.exit("the compiler refuses new mutants for ever")


def write_switched(left_out):
    """Writes the sources with all mutants but these. Returns those that have no place in them."""
    manifest = ["--manifest-path", HERE / "Cargo.toml", "--target-dir", WORK / "tool"]
    run(["cargo", "build", "--quiet", *manifest], ROOT)
    numbers = WORK / "left-out"
    numbers.write_text("\n".join(map(str, sorted(left_out))))
    switched = run([WORK / "tool/debug/pop3-proto-mutants", WORK / "list.json", ROOT, TREE, numbers], ROOT)
    shutil.copy(HERE / "switch.rs", TREE / "pop3-proto/src/switch.rs")
    # (lib.rs has no code of its own, and so no mutants.)
    lib = TREE / "pop3-proto/src/lib.rs"
    text = (ROOT / "pop3-proto/src/lib.rs").read_text()
    unstable = "#![feature(core_intrinsics, const_eval_select)]\n#![allow(internal_features)]\n"
    at_top = re.search(r"^#!\[", text, re.M).start()
    lib.write_text(text[:at_top] + unstable + text[at_top:] + "\nmod switch;\n")
    return [int(number) for number in switched.stdout.split()]


def blamed(messages):
    """The mutants on whose lines the compiler found an error."""
    found = {}
    for line in messages.splitlines():
        message = json.loads(line)
        if message.get("reason") != "compiler-message" or message["message"]["level"] != "error":
            continue
        message = message["message"]
        for span in [span for span in message["spans"] if span["is_primary"]]:
            while span["expansion"] and not span["file_name"].startswith("pop3-proto"):
                span = span["expansion"]["span"]
            if not (TREE / span["file_name"]).is_file():
                continue
            source = (TREE / span["file_name"]).read_text().split("\n")
            if "non-exhaustive patterns" in message["message"]:
                # The arms that can be deleted have made the match open: the last of them cannot, and perhaps that is all.
                here = source[span["line_start"] - 1]
                end = " " * (len(here) - len(here.lstrip())) + "}"
                rows = source[span["line_start"] :]
                rows = rows[: next((i for i, row in enumerate(rows) if row.startswith(end)), len(rows))]
                numbers = [n for row in rows for n in re.findall(r"^if !crate::switch::on\((\d+)\)", row)][-1:]
            else:
                rows = source[span["line_start"] - 1 : span["line_end"]]
                numbers = QUESTION.findall("\n".join(rows))
                for back in range(2, 5):
                    numbers = numbers or QUESTION.findall(source[span["line_start"] - back])
            found.update((int(number), message["message"]) for number in numbers)
        # An iterator of another item than the function's is no mutant, and the error is about the function.
        for span in [span for span in message["spans"] if not span["is_primary"]]:
            if not span["file_name"].startswith("pop3-proto/src"):
                continue
            rows = (TREE / span["file_name"]).read_text().split("\n")[span["line_start"] - 1 : span["line_end"]]
            others = re.findall(r"Either\(crate::switch::on\((\d+)\)\.then\(\|\| ::std::iter::once", "\n".join(rows))
            found.update((int(number), message["message"]) for number in others)
    return found


def build_tests(*options):
    command = ["cargo", "test", "--lib", *options, "--no-run", "--message-format=json", *CORE]
    built = run(command, TREE, BUILDING)
    artifacts = [json.loads(line) for line in built.stdout.splitlines()]
    return [a["executable"] for a in artifacts if a.get("executable") and a["profile"]["test"]]


# --- The runs -----------------------------------------------------------------------------------------------------------


def tests_of(program):
    listed = run([program, "--list"], TREE / "pop3-proto", UNDER_TEST).stdout.splitlines()
    return [(program, line.removesuffix(": test")) for line in listed if line.endswith(": test")]


def ask_killers(mutants, programs, jobs):
    """The test that caught a mutant the last time most often catches it again: the others need not be asked.

    One that fails it within half a minute, that is: what takes longer is left to the others."""
    killers = json.loads(KILLERS.read_text()) if KILLERS.exists() else {}
    # (A file may have been split.)
    elsewhere = {key.partition(": ")[2]: test for key, test in killers.items()}
    tests = {test: (program, test) for program in programs for program, test in tests_of(program)}

    def one(mutant):
        key = mutant["key"]
        test = tests.get(killers.get(key, elsewhere.get(key.partition(": ")[2])))
        return mutant["id"], caught([test], {test: 2}, {"MUTANT": str(mutant["id"])}) if test else ("missed", "")

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        results = {number: found for number, found in pool.map(one, mutants) if found[0] == "caught"}
    print(f"{len(results)} of {len(mutants)} fail the test that they failed before", flush=True)
    return results


def who_reaches_what(programs, jobs):
    """For each mutant the tests that come by it, and for each test the seconds of processor time that it takes."""
    tests = [test for program in programs for test in tests_of(program)]

    def record(number):
        program, test = tests[number]
        reached = WORK / f"reached-{number}"
        reached.unlink(missing_ok=True)
        environment = {**UNDER_TEST, "MUTANT": RECORD, "MUTANTS_REACHED": str(reached)}
        command = ["prlimit", f"--cpu={LONG}", "--core=0", program, "--exact", test, "--test-threads=1"]
        done = subprocess.Popen(command, cwd=TREE / "pop3-proto", env=environment, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(done.pid, 0)
        took = used.ru_utime + used.ru_stime
        if status and took < LONG:
            sys.exit(f"{test} fails without a mutant")
        numbers = reached.read_text().split() if reached.exists() else []
        reached.unlink(missing_ok=True)
        return tests[number], took, numbers

    reach, seconds = collections.defaultdict(list), {}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for test, took, numbers in pool.map(record, range(len(tests))):
            seconds[test] = took
            for number in numbers:
                reach[int(number)].append(test)
    print(f"{len(seconds)} tests, {sum(seconds.values()):.0f} s one after the other", flush=True)
    reach.default_factory = None
    return reach, seconds


def run_all(mutants, reach, seconds, jobs):
    killers = json.loads(KILLERS.read_text()) if KILLERS.exists() else {}
    results, began = {}, time.monotonic()

    def one(mutant):
        tests = sorted((test for test in reach.get(mutant["id"], []) if seconds[test] < LONG), key=seconds.get)
        return mutant, caught(tests, seconds, {"MUTANT": str(mutant["id"])})

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done, (mutant, (outcome, by)) in enumerate(pool.map(one, mutants), 1):
            results[mutant["id"]] = outcome, by
            if outcome != "missed":
                killers[mutant["key"]] = by
            if done % 100 == 0 or done == len(mutants):
                counts = collections.Counter(outcome for outcome, _ in results.values())
                print(f"{done} of {len(mutants)}, {time.monotonic() - began:.0f} s: {dict(counts)}", flush=True)
                KILLERS.write_text(json.dumps(killers, indent=0))
    return results


def caught(tests, seconds, environment):
    """Quick tests alone at first, then more and more at a time."""
    groups, budget, spent = [], 0.0, 0.0
    for program, test in tests:
        spent += seconds[program, test]
        if len(groups) > 1 and groups[-1][0] == program and spent < budget:
            groups[-1][1].append(test)
        else:
            groups.append((program, [test]))
            budget, spent = min(2.0, 2 * budget + 0.05), seconds[program, test]
    for program, names in groups:
        # Seconds of processor time: how busy the machine is makes no difference. (One that only waits ends after an hour.)
        limit = 10 + round(10 * sum(seconds[program, name] for name in names))
        limits = ["prlimit", "--as=4000000000", f"--cpu={limit}", "--core=0"]
        command = [*limits, program, "--exact", *names, "--test-threads=1", *FAIL_FAST]
        where = {"cwd": TREE / "pop3-proto", "env": {**UNDER_TEST, **environment}}
        try:
            done = subprocess.run(command, **where, capture_output=True, timeout=3600)
        except subprocess.TimeoutExpired:
            return "did not end", names[0]
        if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return "did not end", names[0]
        if done.returncode:
            failed = re.findall(rb"^test (\S+) .*FAILED", done.stdout, re.M)
            return "caught", failed[0].decode() if failed else names[0]
    return "missed", f"{len(tests)} tests reach it"


def run_alone(mutants, reasons):
    """Plants one mutant at a time in the sources, as cargo-mutants does."""
    results = {}
    plain_sources()
    for mutant in mutants:
        command = ["cargo", "test", "--lib", "--test", "all", *CORE, *ALL]
        with planted(mutant):
            if run([*command, "--no-run"], TREE, BUILDING, check=False).returncode:
                reasons[mutant["id"]] = "does not compile"
            else:
                results[mutant["id"]] = tested(command, 1200)
        print(mutant["name"], results.get(mutant["id"], "does not compile"), flush=True)
    return results


def run_counts(mutants, reasons):
    """The same, to see whether a mutant that no test notices makes work."""
    results = {}
    plain_sources()
    for variant in ("--with-std", "--without-std"):
        gate = run([sys.executable, GATE, variant], TREE, check=False)
        if gate.returncode or "made elsewhere" in gate.stdout:
            print(gate.stdout[-3000:], gate.stderr, "the baseline is not that of this machine and these sources", sep="\n")
            return results
    killers = json.loads(KILLERS.read_text()) if KILLERS.exists() else {}
    for number, mutant in enumerate(mutants, 1):
        with planted(mutant):
            found = dearer(mutant, killers.get(mutant["key"], ""))
            command = ["cargo", "test", "--test", "allocations", *CORE, *ALL]
            if not found and run([*command, "--no-run"], TREE, BUILDING, check=False).returncode:
                # With the switch the other side of it was there as well.
                reasons[mutant["id"]] = found = "does not compile"
            elif not found:
                outcome, by = tested(command, 600)
                found = (outcome, f"allocations::{by}") if outcome == "caught" else None
        if found and found != "does not compile":
            results[mutant["id"]] = found
            killers[mutant["key"]] = found[1]
            KILLERS.write_text(json.dumps(killers, indent=0))
        print(f"{number} of {len(mutants)}: {mutant['name']}: {found or 'no difference'}", flush=True)
    return results


def dearer(mutant, last):
    """The row that costs more, if there is one: that of the last time is asked first."""
    rows = next((rows for pattern, rows in ROWS.items() if re.search(pattern, mutant["file"])), "")
    attempts = [(variant, rows) for variant in ("std", "no std")]
    if match := re.match(r"(std|no std): (.*): \d", last):
        attempts.insert(0, match.groups())
    for variant, only in attempts:
        command = [sys.executable, GATE, "--with-std" if variant == "std" else "--without-std", "--only", only]
        counted = run(command, TREE, check=False)
        if more := re.search(r"^error: ((no )?std: .* instructions a .*)$", counted.stderr, re.M):
            return "costs more", more[1]
    return None


def plain_sources():
    shutil.copytree(ROOT / "pop3-proto/src", TREE / "pop3-proto/src", dirs_exist_ok=True)


@contextlib.contextmanager
def planted(mutant):
    path = TREE / mutant["file"]
    original = (ROOT / mutant["file"]).read_text()
    rows = original.splitlines(keepends=True)
    offset = lambda at: sum(map(len, rows[: at["line"] - 1])) + at["column"] - 1
    start, end = (offset(mutant["span"][which]) for which in ("start", "end"))
    path.write_text(original[:start] + mutant["replacement"] + original[end:])
    try:
        yield
    finally:
        path.write_text(original)


def tested(command, limit):
    environment = {**UNDER_TEST, **BUILDING}
    try:
        done = subprocess.run(command, cwd=TREE, env=environment, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return "did not end", "alone"
    failed = re.findall(r"^test (\S+) .*FAILED", done.stdout, re.M)
    return ("caught", (failed or ["?"])[0]) if done.returncode else ("missed", "alone")


# --- The report ---------------------------------------------------------------------------------------------------------


def report(mutants, results, reasons):
    commit = run(["git", "rev-parse", "--short", "HEAD"], ROOT).stdout.strip()
    dirty = " with changes" if run(["git", "status", "--porcelain", "pop3-proto"], ROOT).stdout else ""
    rows = [f"{datetime.date.today()}, commit `{commit}`{dirty}, {run(['cargo', 'mutants', '--version'], ROOT).stdout.strip()}", ""]
    rows += ["| of | run | caught | did not end | costs more | missed | score |", "|---|---|---|---|---|---|---|"]

    def row(name, those):
        count = collections.Counter(results[m["id"]][0] for m in those if m["id"] in results)
        total = sum(count.values())
        if total:
            score = f"{100 * (total - count['missed']) / total:.1f} %"
            counts = [count[outcome] for outcome in ("caught", "did not end", "costs more", "missed")]
            rows.append(" | ".join(map(str, [f"| {name}", total, *counts, f"{score} |"])))

    for group, pattern in GROUPS.items():
        row(group, [m for m in mutants if re.search(pattern, m["name"])])
    for file in sorted({m["file"] for m in mutants}):
        row(f"`{file.removeprefix('pop3-proto/src/')}`", [m for m in mutants if m["file"] == file])
    row("all", mutants)
    unswitched = [m for m in mutants if m["id"] not in results and reasons[m["id"]] == NO_SWITCH]
    refused = sum(m["id"] not in results for m in mutants) - len(unswitched)
    rows += ["", f"{len(mutants)} listed, {refused} do not compile, {len(unswitched)} cannot be switched.", "", "Missed:", ""]
    rows += [f"- {m['name']} ({results[m['id']][1]})" for m in mutants if results.get(m["id"], [""])[0] == "missed"]
    rows += ["", "Caught by what they cost:", ""]
    rows += [f"- {m['name']} ({results[m['id']][1]})" for m in mutants if results.get(m["id"], [""])[0] == "costs more"]
    rows += ["", "Not run:", "", *(f"- {m['name']}" for m in unswitched)]
    text = "\n".join(rows) + "\n"
    (WORK / "report.md").write_text(text)
    details = {m["name"]: results.get(m["id"]) or ["not run", reasons[m["id"]]] for m in mutants}
    (WORK / "results.json").write_text(json.dumps({"sources": sources(), "mutants": details}, indent=1))
    print(text)


if __name__ == "__main__":
    main()
