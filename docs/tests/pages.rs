//! The pages hang together: every relative link leads somewhere, every page with code is compiled, the index names them all.

mod tree;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use tree::{below, root};

#[test]
fn every_relative_link_leads_to_a_file_and_every_anchor_to_a_heading() {
    let root = root();
    let (mut broken, mut links) = (Vec::new(), 0);
    for page in below(&root, "md") {
        let text = fs::read_to_string(&page).unwrap();
        for link in links_of(&text) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            if path.contains(':') {
                continue; // of another site: not checked without a network
            }
            links += 1;
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            let there = target.exists();
            let anchored = anchor.is_empty()
                || target.extension().is_none_or(|kind| kind != "md")
                || fs::read_to_string(&target).is_ok_and(|text| anchors_of(&text).contains(anchor));
            if !there || !anchored {
                broken.push(format!("{}: {link}", page.strip_prefix(&root).unwrap().display()));
            }
        }
    }
    assert!(links > 50, "only {links} links were found: is the reader of links broken?");
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn every_page_with_rust_in_it_is_compiled() {
    let named = fs::read_to_string(root().join("docs/guide.rs")).unwrap();
    for page in below(&root().join("docs"), "md") {
        let text = fs::read_to_string(&page).unwrap();
        let name = page.file_name().unwrap().to_str().unwrap();
        if text.lines().any(|line| line.starts_with("```rust")) {
            assert!(named.contains(&format!("include_str!(\"{name}\")")), "docs/guide.rs does not name {name}");
            assert!(!text.contains("```rust,ignore"), "{name} has code that nobody compiles");
        }
    }
}

#[test]
fn the_index_names_every_page() {
    let docs = root().join("docs");
    let index = fs::read_to_string(docs.join("README.md")).unwrap();
    for page in below(&docs, "md") {
        let name = page.file_name().unwrap().to_str().unwrap();
        assert!(name == "README.md" || index.contains(&format!("({name})")), "docs/README.md does not name {name}");
    }
}

/// The first two tables of the index are the guide, in the order in which it is read; what follows is to look things up.
#[test]
fn every_page_of_the_guide_says_where_to_read_on() {
    let docs = root().join("docs");
    let index = fs::read_to_string(docs.join("README.md")).unwrap();
    let guide = links_of(index.split("To look things up:").next().unwrap());
    let guide: Vec<_> = guide.iter().filter(|link| link.ends_with(".md")).collect();
    assert!(guide.len() >= 10, "is the reader of the index broken? {guide:?}");
    for name in guide {
        let page = fs::read_to_string(docs.join(name)).unwrap();
        let last = page.trim_end().rsplit("\n\n").next().unwrap();
        assert!(last.starts_with("Next: [") && !links_of(last).is_empty(), "{name} ends in: {last}");
    }
}

#[test]
fn the_instructions_that_the_readme_names_are_those_of_the_page_about_performance() {
    let cells = |row: &str| row.split('|').skip(1).map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let counted = fs::read_to_string(root().join("docs/performance.md")).unwrap();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut figures = 0;
    for row in readme.lines().filter(|line| line.contains("benches/gate.py")) {
        let [what, figure, ..] = &cells(row)[..] else { panic!("{row}") };
        // What is counted, its goal, the instructions.
        let of = |row: &Vec<String>| row.len() > 2 && row[0] == what.trim_matches('`');
        let there = counted.lines().map(cells).find(of).unwrap_or_else(|| panic!("docs/performance.md has no {what}"));
        assert_eq!(figure.split(' ').next().unwrap(), there[2], "{what}");
        figures += 1;
    }
    assert_eq!(figures, 3, "is the reader of the table broken?");
}

#[test]
fn a_driver_has_as_many_lines_as_the_table_says_and_sixty_at_most() {
    let page = root().join("docs/runtimes.md");
    let mut drivers = 0;
    for row in fs::read_to_string(&page).unwrap().lines().filter(|line| line.starts_with("| [`")) {
        let said: usize = row.trim_end_matches('|').rsplit('|').next().unwrap().trim().parse().unwrap();
        let link = &links_of(row)[0];
        let code = fs::read_to_string(page.parent().unwrap().join(link)).unwrap();
        let count =
            code.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with("//")).count();
        assert_eq!(said, count, "{link}");
        assert!(count <= 60, "{link} has {count} lines");
        drivers += 1;
    }
    assert_eq!(drivers, 8, "is the reader of the table broken?");
}

#[test]
fn headings_become_anchors_as_forges_make_them() {
    let anchors = anchors_of("# Why no `typestate`?\n```\n# code\n```\n## A, b & c\n## A, b & c\n");
    assert_eq!(anchors, ["why-no-typestate", "a-b--c", "a-b--c-1"].map(String::from).into());
    assert_eq!(
        links_of("a [b](c.md#d) `[e](f)` [g](h \"title\")\n```\n[i](j)\n```\n![k](l.svg)"),
        ["c.md#d", "h", "l.svg"]
    );
}

/// The targets of inline links and pictures, outside of code.
fn links_of(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    for line in prose(text) {
        let mut outside_code = String::new();
        for (index, part) in line.split('`').enumerate() {
            outside_code.push_str(if index % 2 == 0 { part } else { "code" });
        }
        for (at, _) in outside_code.match_indices("](") {
            let target = outside_code[at + 2..].split(')').next().unwrap_or_default();
            links.push(target.split(' ').next().unwrap_or_default().to_owned());
        }
        for (at, _) in outside_code.match_indices("src=\"").chain(outside_code.match_indices("srcset=\"")) {
            let target = outside_code[at..].split('"').nth(1).unwrap_or_default();
            links.push(target.to_owned());
        }
    }
    links
}

/// What the headings are called in links: lower case, spaces as hyphens, most punctuation gone, numbered when repeated.
fn anchors_of(text: &str) -> BTreeSet<String> {
    let mut seen = HashMap::<String, u32>::new();
    prose(text)
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let words = line.trim_start_matches('#').trim().to_lowercase();
            let kept = words.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
            let times = seen.entry(anchor.clone()).and_modify(|times| *times += 1).or_insert(0);
            if *times == 0 { anchor } else { format!("{anchor}-{times}") }
        })
        .collect()
}

/// The lines outside of fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}
