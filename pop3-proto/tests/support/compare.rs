//! Comparing mailboxes octet by octet, with messages that a person can act on.

/// Panics unless `got` holds exactly the expected messages, each once.
///
/// The order is not compared, nor are the names: a maildrop's numbering is the server's business, and half of the corpus has nowhere to
/// carry a label of its own. What is compared is every octet.
#[track_caller]
pub(crate) fn same_messages(expected: &[(&str, &[u8])], got: &[(String, Vec<u8>)]) {
    let mut missing: Vec<_> = expected.iter().collect();
    let mut surplus = Vec::new();
    for found in got {
        match missing.iter().position(|(_, octets)| *octets == found.1) {
            Some(index) => drop(missing.swap_remove(index)),
            None => surplus.push(found),
        }
    }
    if missing.is_empty() && surplus.is_empty() {
        return;
    }

    let mut report = format!("{} messages expected, {} came\n", expected.len(), got.len());
    for (label, octets) in surplus {
        // Most likely it is the missing one that agrees with it longest.
        let closest = missing.iter().enumerate().max_by_key(|(_, (_, other))| agreement(octets, other)).map(|(i, _)| i);
        let Some(index) = closest else {
            report += &format!("{label}: nothing like it was expected: {}\n", window(octets, 0));
            continue;
        };
        let (name, wanted) = missing.swap_remove(index);
        report += &format!("{name} (came as {label}): {}\n", difference(wanted, octets));
    }
    for (name, octets) in missing {
        report += &format!("{name} did not come: {}\n", window(octets, 0));
    }
    panic!("{report}");
}

/// Panics unless both are the same octets, and shows where they part.
#[track_caller]
pub(crate) fn same_octets(name: &str, expected: &[u8], got: &[u8]) {
    assert!(expected == got, "{name}: {}", difference(expected, got));
}

fn difference(expected: &[u8], got: &[u8]) -> String {
    let at = agreement(expected, got);
    format!(
        "{} octets expected, {} came, different from octet {at} on\n  expected: {}\n  came:     {}",
        expected.len(),
        got.len(),
        window(expected, at),
        window(got, at)
    )
}

fn agreement(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// The octets around a place, escaped.
fn window(octets: &[u8], at: usize) -> String {
    let start = at.saturating_sub(24).min(octets.len());
    let end = (at + 40).min(octets.len());
    let dots = |cut: bool| if cut { "..." } else { "" };
    format!("{}\"{}\"{}", dots(start > 0), octets[start..end].escape_ascii(), dots(end < octets.len()))
}
