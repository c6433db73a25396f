//! The HTML report in a browser: what the filters show, and the dialogue behind a cell.

mod browser;
#[expect(dead_code, reason = "the toy client is for the mutants")]
mod toys;
mod trial;

use base64ct::{Base64, Encoding as _};
use browser::Browser;
use pop3_conformance::expectations::Expectations;
use pop3_conformance::output::{Run, html};
use pop3_conformance::peer::Upgrade;
use pop3_conformance::run::{self, Outcome, Result as RunResult};
use pop3_conformance::server_cases;
use std::path::PathBuf;
use toys::Mistake;
use toys::server::ToyServer;
use trial::trial;

fn main() {
    let arguments = libtest_mimic::Arguments::from_args();
    let missing = Browser::missing();
    let case = |name: &str, run: fn()| trial(&arguments, name, missing, run);
    let trials = vec![
        case(
            "filters_leave_what_fits_and_a_cell_shows_its_dialogue",
            filters_leave_what_fits_and_a_cell_shows_its_dialogue,
        ),
        case(
            "the_page_is_named_for_those_who_do_not_see_it_and_loads_nothing_else",
            the_page_is_named_for_those_who_do_not_see_it_and_loads_nothing_else,
        ),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The page about a server that stuffs no dot at the first octet, which is known of one case.
fn page(name: &str) -> PathBuf {
    let toy = ToyServer { mistake: Some(Mistake::Stuffing), upgrade: Upgrade::None };
    let cases = server_cases::all().filter(|case| case.id.starts_with("rfc1939/") || case.id.starts_with("group/"));
    let mut results: Vec<RunResult> = cases.map(|case| run::server(case, &toy)).collect();
    let failed = results.iter().find(|result| matches!(result.outcome, Outcome::Fail(_))).unwrap().id;
    let known = format!("[[expected]]\ncase = {failed:?}\nreason = \"issue 7\"\n");
    let known = Expectations::parse(&known).unwrap();
    results.iter_mut().for_each(|result| known.apply(result));
    let run = Run { subject: "a toy <b>", command: "pop3-conformance server x:1", strict: false, results: &results };
    let path = path(name);
    std::fs::write(&path, html::report(&run)).unwrap();
    path
}

/// How many rows of cases can be seen.
fn seen(browser: &Browser) -> u64 {
    let rows = "[...document.querySelectorAll('tr.case')].filter(row => row.checkVisibility()).length";
    browser.evaluate(rows).as_u64().unwrap()
}

fn text(browser: &Browser, selector: &str) -> String {
    let text = browser.evaluate(&format!("document.querySelector('{selector}').innerText"));
    text.as_str().unwrap_or_default().to_owned()
}

/// Puts a picture of the window beside the page, for whoever wants to look.
fn picture(browser: &Browser, name: &str) {
    std::fs::write(path(name), Base64::decode_vec(&browser.picture()).unwrap()).unwrap();
}

fn filters_leave_what_fits_and_a_cell_shows_its_dialogue() {
    let browser = Browser::start(false);
    browser.open(&page("page.html"));
    picture(&browser, "page-light.png");
    let failing = "document.querySelectorAll('tr.case[data-words=fail]').length";
    let failing = browser.evaluate(failing).as_u64().unwrap();
    assert!(failing > 0);

    // Sections in which something failed are open, the others are not.
    let first = seen(&browser);
    let open = browser.evaluate("document.querySelectorAll('button[aria-expanded=true]').length").as_u64().unwrap();
    assert!(first >= failing && open > 0, "{first} rows, {open} open sections");
    browser.click("#open");
    let all = seen(&browser);
    assert!(all > first, "{all}");
    assert_eq!(text(&browser, "#count"), format!("{all} of {all} cases"));

    // Each filter takes rows away, and gives them back.
    for word in ["pass", "skip", "note"] {
        let with = browser.evaluate(&format!("document.querySelectorAll('tr.case[data-words={word}]').length"));
        browser.click(&format!("input[value={word}]"));
        assert_eq!(seen(&browser), all - with.as_u64().unwrap(), "{word}");
        browser.click(&format!("input[value={word}]"));
    }
    for word in ["pass", "skip", "note"] {
        browser.click(&format!("input[value={word}]"));
    }
    let bad = "document.querySelectorAll('tr.case:is([data-words=fail],[data-words=warn],[data-words=known])').length";
    assert_eq!(Some(seen(&browser)), browser.evaluate(bad).as_u64());
    for word in ["pass", "skip", "note"] {
        browser.click(&format!("input[value={word}]"));
    }
    browser.evaluate("(level.value = 'SHOULD', level.dispatchEvent(new Event('input', { bubbles: true })))");
    let should = "document.querySelectorAll('tr.case[data-level=SHOULD]').length";
    assert_eq!(Some(seen(&browser)), browser.evaluate(should).as_u64());
    browser.evaluate("(level.value = '', level.dispatchEvent(new Event('input', { bubbles: true })))");
    browser.click("#shut");
    assert_eq!(seen(&browser), 0);

    // A search finds a case in a section that is closed.
    browser.type_into("#search", "group/2 FIRST-octet");
    assert_eq!(seen(&browser), 1);
    browser.click("tr.case:not([hidden]) button.fail");
    assert_eq!(browser.evaluate("document.querySelector('dialog').open"), true);
    let shown = text(&browser, "dialog");
    for words in
        ["group/2/server-first-octet", "RFC 1939 section 3", "S: +OK", "C: RETR", "--only group/2/server-first-octet"]
    {
        assert!(shown.contains(words), "{words}\n{shown}");
    }
    picture(&browser, "page-dialogue.png");
    browser.press("\u{E00C}"); // Escape
    assert_eq!(browser.evaluate("document.querySelector('dialog').open"), false);

    // Behind a known deviation stands its reason.
    browser.evaluate("(search.value = '', search.dispatchEvent(new Event('input', { bubbles: true })))");
    browser.click("#open");
    browser.click("button.known");
    assert!(text(&browser, "dialog").contains("issue 7"), "{}", text(&browser, "dialog"));
}

fn the_page_is_named_for_those_who_do_not_see_it_and_loads_nothing_else() {
    let browser = Browser::start(true);
    browser.open(&page("page-dark.html"));
    browser.click("#open");
    picture(&browser, "page-dark.png");
    assert_eq!(text(&browser, "h1"), "POP3 conformance: a toy <b> does not conform");
    let nameless = "[...document.querySelectorAll('button, input, select')].filter(control => !(control.innerText || \
                    control.ariaLabel || control.labels?.length)).length";
    assert_eq!(browser.evaluate(nameless), 0);
    assert_eq!(browser.evaluate("performance.getEntriesByType('resource').length"), 0);
    let dark = browser.evaluate("getComputedStyle(document.body).backgroundColor");
    assert_eq!(dark, "rgb(20, 24, 29)", "the dark colours are those of the system");

    // Words on colours: at least 4.5 to 1 (WCAG 2, level AA), in both schemes.
    let contrast = "(() => {
        const part = value => { value /= 255; return value <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4; };
        const light = ([r, g, b]) => .2126 * part(r) + .7152 * part(g) + .0722 * part(b);
        const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
        const back = element => {
          const colour = numbers(getComputedStyle(element).backgroundColor);
          return colour.length === 4 && colour[3] === 0 ? back(element.parentElement) : colour;
        };
        const ratio = element => {
          const [a, b] = [light(numbers(getComputedStyle(element).color)), light(back(element))].sort((x, y) => y - x);
          return (a + .05) / (b + .05);
        };
        return Math.min(...[...document.querySelectorAll('button, .chip, h1, td.name span, td.level')].map(ratio));
      })()";
    let worst = browser.evaluate(contrast).as_f64().unwrap();
    assert!(worst >= 4.5, "{worst}");
    drop(browser);
    let browser = Browser::start(false);
    browser.open(&path("page-dark.html"));
    let worst = browser.evaluate(contrast).as_f64().unwrap();
    assert!(worst >= 4.5, "{worst}");
}
