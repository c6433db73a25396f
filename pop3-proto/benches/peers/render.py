#!/usr/bin/env python3
"""Makes the peers' part of docs/performance.md, and its chart, from what `run` has measured.

    render.py DIRECTORY        # with results.tsv and environment.tsv

The page is changed between the two marks only; what is before and behind them is somebody else's.
"""
import collections
import math
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/performance.md"
CHART = ROOT / "docs/pictures/performance-peers.svg"
BEGIN, END = "<!-- peers: made by pop3-proto/benches/peers/render.py -->", "<!-- peers: end -->"
OURS = re.compile(r"(pop3-proto|fetch|maildir_server|Server|Client|Maildrop)\b")
# A figure of these units is the better the smaller it is.
SMALLER = ("ms", "us", "ns", "KiB", "us/MB", "us/message", "us/command", "ns/row", "octets/session", "octets/message")


def ours(subject):
    return OURS.match(subject) is not None


def read(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines]


def figure(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


class Results:
    """rows[section][row][subject] = (value, unit); a value that is None was not measured, and the unit says why."""

    def __init__(self, path):
        self.rows = collections.defaultdict(lambda: collections.defaultdict(dict))
        for section, row, subject, value, unit in read(path)[1:]:
            self.rows[section][row][subject] = (float(value) if value else None, unit)

    def value(self, section, row, subject):
        return self.rows.get(section, {}).get(row, {}).get(subject, (None, ""))[0]


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def cell(measured):
    value, unit = measured
    return f"{figure(value)} {unit}" if value is not None else "not measured"


def notes(skipped):
    return [f"Not measured: {subject}, {row}: {why}." for row, subject, why in skipped] + ([""] if skipped else [])


def skipped(rows):
    return [(row, subject, why) for row, cells in rows.items() for subject, (value, why) in cells.items() if value is None]


def beside_first(results, section, caption):
    """One table for each row: the first subject is the limit, or ours, and the others are held against it."""
    out = []
    for row, cells in results.rows[section].items():
        (first, (limit, unit)), *_ = cells.items()
        out += [f"**{row}**", ""]
        body = []
        for subject, (value, why) in cells.items():
            if value is None:
                body.append((subject, "not measured", ""))
                continue
            ratio = (limit / value if unit in SMALLER else value / limit) if limit else math.nan
            body.append((f"**{subject}**" if ours(subject) else subject, cell((value, why)), f"{ratio:.2f}"))
        out += table((caption, "measured", f"of {first}"), body)
    return out + notes(skipped(results.rows[section]))


def servers(results):
    rows = results.rows["servers"]
    body, processor = [], []
    for row, cells in rows.items():
        us, them = cells.get("maildir_server"), cells.get("Dovecot")
        if not us or not them or us[0] is None or them[0] is None:
            continue
        factor = them[0] / us[0] if us[1] in SMALLER else us[0] / them[0]
        verdict = f"{factor:.1f}" if factor >= 1 else f"**behind: {factor:.2f}**"
        if row.endswith(": processor time"):
            processor.append((row.removesuffix(": processor time"), cell(us), cell(them), verdict))
            continue
        limit = cells.get("blaster")
        share = f"{us[0] / limit[0]:.2f}" if limit and limit[0] else ""
        body.append((row, cell(us), cell(them), verdict, share))
    out = table(("", "`maildir_server`", "Dovecot", "times Dovecot", "of the blaster"), body)
    out += ["Processor time of the server's processes for the same work, which other load on the machine does not change:", ""]
    return out + table(("", "`maildir_server`", "Dovecot", "times Dovecot"), processor) + notes(skipped(rows))


def goals(results):
    value = results.value
    nowhere, file = "RETR of 50 MB, to nowhere", "RETR of 50 MB, into a file"
    lf, crlf = "RETR of 50 MB, stored with LF", "RETR of 50 MB, stored with CRLF"
    link, loop = "10,000 messages of 4 KB over a round trip of 1 ms", "10,000 messages of 4 KB over loopback"
    driver = "pop3-proto, thin driver"

    def ratio(section, row, one, other, other_row=None):
        a, b = value(section, row, one), value(section, other_row or row, other)
        return a / b if a and b else None

    rows = [
        ("client, 50 MB: of the sink", 0.90, ratio("clients", nowhere, driver, "raw sink")),
        ("client, 50 MB: times libcurl as it comes", 4, ratio("clients", nowhere, driver, "libcurl, as it comes")),
        ("client, 50 MB: times libcurl with 64 KiB", 3, ratio("clients", nowhere, driver, "libcurl, 64 KiB buffer")),
        ("`fetch`, 50 MB into a file: of the sink", 0.90, ratio("clients", file, "fetch", "raw sink")),
        ("`fetch`, 50 MB into a file: times curl", 1, ratio("clients", file, "fetch", "curl")),
        ("server, 50 MB stored with CRLF: of the blaster", 0.85, ratio("servers", crlf, "maildir_server", "blaster")),
        ("server, 50 MB stored with LF: of the blaster", 0.70, ratio("servers", lf, "maildir_server", "blaster")),
        ("server, 50 MB stored with CRLF: times Dovecot", 4, ratio("servers", crlf, "maildir_server", "Dovecot")),
        ("server, 50 MB stored with LF: times Dovecot", 3.3, ratio("servers", lf, "maildir_server", "Dovecot")),
        ("small mail, 1 ms: pipelining, times one at a time", 5, ratio("small", link, "fetch, pipelining", "fetch, one at a time")),
        ("small mail, loopback: times mpop", 1, ratio("small", loop, "fetch, pipelining", "mpop, pipelining")),
        ("small mail, loopback: times fetchmail", 1, ratio("small", loop, "fetch, pipelining", "fetchmail")),
    ]
    body = []
    for what, goal, got in rows:
        verdict = "not measured" if got is None else "reached" if got >= goal else "**not reached**"
        body.append((what, f"{goal:g}", "" if got is None else f"{got:.2f}", verdict))
    missed = [what for what, goal, got in rows if got is not None and got < goal]
    out = table(("", "goal", "measured", ""), body)
    sink = ratio("clients", nowhere, "raw sink", "libcurl, as it comes")
    blaster = ratio("servers", crlf, "blaster", "Dovecot")
    for words, of in WHY_MISSED:
        of = [what for what in missed if what.startswith(of)]
        if of:
            out += ["Not reached, " + "; ".join(of) + ": " + words.format(sink=sink or math.nan, blaster=blaster or math.nan), ""]
    return out


def behind(results):
    """Every row in which somebody other than a limit is ahead of ours."""
    limits = ("raw sink", "blaster")
    out = []
    for section, rows in results.rows.items():
        for row, cells in rows.items():
            mine = [(value, unit) for subject, (value, unit) in cells.items() if ours(subject) and value is not None]
            if not mine:
                continue
            small = mine[0][1] in SMALLER
            best = min(mine) if small else max(mine)
            for subject, (value, unit) in cells.items():
                if ours(subject) or subject in limits or value is None or unit != best[1]:
                    continue
                if (value < best[0]) if small else (value > best[0]):
                    out.append(f"- {row}: {subject} has {cell((value, unit))}, ours {cell(best)}.")
    return out or ["Nobody was ahead in any row of this run."]


def scale(results):
    body = []
    for row, cells in results.rows["scale"].items():
        body += [(row, subject, cell(measured)) for subject, measured in cells.items()]
    return table(("", "what", "measured"), body)


def chart(results):
    """Bars, in two panels: clients as shares of the sink, and how many times Dovecot the server does."""
    panels = []
    cells = results.rows["clients"].get("RETR of 50 MB, to nowhere", {})
    limit = cells.get("raw sink", (None, ""))[0]
    if limit:
        bars = [(subject, value / limit, f"{value / limit:.2f}") for subject, (value, _) in cells.items() if value]
        panels.append(("Clients, RETR of 50 MB over loopback: share of a raw sink", bars, lambda x: x, 1.0))
    bars = []
    for row, cells in results.rows["servers"].items():
        us, them = cells.get("maildir_server"), cells.get("Dovecot")
        if row.endswith("processor time") or not us or not them or not us[0] or not them[0]:
            continue
        factor = them[0] / us[0] if us[1] in SMALLER else us[0] / them[0]
        bars.append((row, factor, f"{factor:.1f}"))
    if bars:
        top = max(10, *(factor for _, factor, _ in bars))
        scaled = lambda x: max(0.0, math.log10(max(x, 0.1)) + 1)
        panels.append(("maildir_server beside Dovecot: times as fast (each 10 is a step; the line is equal)", bars, scaled, top))
    label, width, step = 330, 380, 22
    total = label + width + 70
    out, y = [], 10
    for title, bars, scaled, top in panels:
        out.append(f'<text class="title" x="10" y="{y + 14}">{escape(title)}</text>')
        y += 28
        begin = y
        for name, value, words in bars:
            length = max(1.0, width * min(1.15, scaled(value) / scaled(top)))
            kind = "ours" if ours(name) or "Dovecot" in title else "theirs"
            out.append(f'<text x="{label - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>')
            out.append(f'<rect class="{kind}" x="{label}" y="{y + 2}" width="{length:.1f}" height="{step - 8}" rx="2"/>')
            out.append(f'<text x="{label + length + 6:.1f}" y="{y + 13}">{words}</text>')
            y += step
        at = label + width * scaled(1.0) / scaled(top)
        out.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{begin - 2}" y2="{y}"/>')
        y += 18
    style = """
    text { font: 12px system-ui, sans-serif; fill: #1f2328; } .title { font-weight: 600; font-size: 13px; }
    .ours { fill: #1a7f5a; } .theirs { fill: #8c959f; } line { stroke: #57606a; stroke-dasharray: 3 3; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; } .ours { fill: #3fb68b; } .theirs { fill: #6e7681; } line { stroke: #9198a1; }
    }"""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {y}" width="{total}" height="{y}" role="img">'
    title = "<title>pop3-proto beside other POP3 clients and servers</title>"
    return "\n".join([head, title, f"<style>{style}\n</style>", *out, "</svg>"]) + "\n"


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def page(results, environment):
    out = [BEGIN, "", "## Beside others", ""]
    out += [
        "Measured in one run by `pop3-proto/benches/peers/run`, which installs the peers, takes the subjects of each row in turn,",
        "and writes this part of the page. Figures are medians. A ratio above 1 is in favour of what it stands beside.",
        "",
        "![How the clients compare with a raw sink, and maildir_server with Dovecot](pictures/performance-peers.svg)",
        "",
    ]
    out += table(("measured on", ""), environment)
    out += ["### Goals of this part", "", *goals(results)]
    out += ["### Where others are ahead", "", *behind(results), ""]
    out += ["### Clients over loopback", "", *CLIENTS, "", *beside_first(results, "clients", "client")]
    out += ["### Small mail", "", *SMALL, "", *beside_first(results, "small", "client")]
    out += ["### Beside Dovecot", "", *SERVERS, "", *servers(results)]
    out += ["### In memory", "", *MEMORY, "", *beside_first(results, "memory", "crate")]
    out += ["### Scale", "", *SCALE, "", *scale(results), END]
    return "\n".join(out)


# What limits a row whose name begins so, should it miss its goal. (Shares of processor time are those that `perf` gives.)
WHY_MISSED = [
    (
        "the raw sink, which does nothing with what it reads, is itself only {sink:.2f} times as fast as libcurl in this run. libcurl "
        "gains more than the others by a processor of its own: on a busy machine the same row stood above 4.",
        "client, 50 MB: times libcurl as it comes",
    ),
    (
        "the raw sink looks at the last octets of each read only, the client at all of them.",
        "client, 50 MB: of the sink",
    ),
    (
        "the blaster, which reads no file, is itself only {blaster:.2f} times as fast as Dovecot in this run. What it takes to hand octets "
        "to the system is the same for all three, so that the distance shrinks as the rest gets cheaper.",
        "server, 50 MB stored with CRLF: times Dovecot",
    ),
    (
        "the blaster copies a message once, into the socket, in one call. A server of files copies it out of the system's memory first (a "
        "third of its processor time), and looks for dots and line ends (up to a fifth). Tried: chunks of 8 KiB to 1 MiB (32 are best), "
        "one thread in place of sixteen (the same), vectored writes where nothing has to be inserted (used). What would save the copy is "
        "a file mapped into memory, which is unsafe code, or sendfile, which sends what nobody has looked at.",
        ("server, 50 MB stored with CRLF: of the blaster", "server, 50 MB stored with LF"),
    ),
]

CLIENTS = """\
All read the same message of 50 MB from a server that has the answer ready in memory (the blaster). The raw sink reads and looks
for the end, and nothing else. The thin driver is the loop of the guide around `Client`. Programs that are not Rust time RETR by
their own clock, their start left out; into a file, each program is timed from its start to its end, and `fetch` makes its file
durable. The files are in memory (`/dev/shm`), unless `TMPDIR` says otherwise.""".splitlines()
SMALL = """\
`fetch` writes each message to a file of its own, makes it durable and gives it its name; mpop writes into a Maildir, fetchmail
appends to one file. `fetch` pipelines where the server announces it. The line with a round trip of 1 ms is two threads that
deliver each octet half a millisecond after it came.""".splitlines()
SERVERS = """\
The same raw reader, the same mailbox, the same run. The blaster sends answers that are ready in memory: no server that reads files
is faster. A login is timed from PASS to the answer to the STAT behind it, because Dovecot answers PASS before it looks at the
maildrop. Cold is a server that has never seen the maildrop, with the files in the system's memory; warm is the next login.
`maildir_server` sends what is stored with CRLF as it is, in vectored writes, and copies what is stored with LF, in chunks of 32 KiB,
which stay in the first cache. Chunks of 128 KiB took a sixth less processor time where reader and server shared a processor, and were
a third slower where each had its own: the reader fell asleep between two of them, and waking it takes longer than a chunk. One message
at a time is mostly that: two processes that wake each other on two processors.""".splitlines()
MEMORY = """\
One thread, no socket, reads of 16 KiB. The crates do not do the same: pop3-codec parses a whole response into owned strings and
keeps no state, smtp-proto's receiver copies a message's text and knows SMTP's commands. What pop3-proto does for a command
includes its answer.""".splitlines()
SCALE = """\
The command is `pop3-proto/benches/peers/run scale`. The thousand connections are threads of the measuring process, each of which
compares every octet that comes with what must come, in order; one that differs fails the run. Memory is what a process that did
nothing before grew by, a few pages of its own included: a machine that waits has at most 128 octets (`pop3-proto/tests/sizes.rs`) and
nothing on the heap (`allocations.rs`).""".splitlines()


def main():
    directory = pathlib.Path(sys.argv[1])
    results = Results(directory / "results.tsv")
    environment = [tuple(line) for line in read(directory / "environment.tsv")]
    made = page(results, environment)
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Performance\n"
    if BEGIN in old:
        new = re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: made, old, flags=re.S)
    else:
        new = old.rstrip("\n") + "\n\n" + made + "\n"
    PAGE.write_text(new, encoding="utf-8")
    CHART.write_text(chart(results), encoding="utf-8")


if __name__ == "__main__":
    main()
