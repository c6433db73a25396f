//! What several client cases ask and say: how the client ended, what it sent, what it stored.

use crate::case::{Ended, Honest, Judged, Level, Line, Play, skip};
use crate::peer::Upgrade;

/// Runs a script once for each value, with a fresh client each time.
pub(super) fn each<'p, T: Copy>(
    c: &mut Play<'p>,
    table: &[T],
    mut script: impl FnMut(&mut Play<'p>, T) -> Judged,
) -> Judged {
    for (index, &value) in table.iter().enumerate() {
        if index > 0 {
            c.start_again()?;
        }
        script(c, value)?;
    }
    Ok(())
}

/// Where CAPA is to be refused: a foreign client that wants STLS may learn of it there alone.
pub(super) fn can_do_without_capa(c: &Play<'_>) -> Judged {
    if !c.ours() && c.upgrade() == Upgrade::Stls {
        return skip("a client that wants STLS may ask CAPA for it");
    }
    Ok(())
}

/// Closes the connection, also where the client has done so (it may wait for that), and says how the client ended.
pub(super) fn end(c: &mut Play<'_>) -> Ended {
    c.hang_up();
    c.end()
}

/// The client says that all went well.
pub(super) fn ends_well(c: &mut Play<'_>) -> Judged {
    let ended = end(c);
    c.check(ended == Ended::Well, "a client that ends well", format!("{ended:?}"))
}

/// The client says that something failed.
pub(super) fn fails(c: &mut Play<'_>) -> Judged<String> {
    let ended = end(c);
    hangs(c, &ended);
    c.check(matches!(ended, Ended::Failed(_)), "a client that reports a failure", format!("{ended:?}"))?;
    Ok(match ended {
        Ended::Failed(why) => why,
        _ => String::new(),
    })
}

/// The client ends by itself, well or not.
pub(super) fn ends(c: &mut Play<'_>) -> Judged {
    let ended = end(c);
    hangs(c, &ended);
    c.check(ended != Ended::Hung, "a client that ends", format!("{ended:?}"))
}

/// A client that does not end says nothing wrong: no RFC speaks of that, and everybody wants to know.
pub(super) fn hangs(c: &mut Play<'_>, ended: &Ended) {
    if *ended == Ended::Hung {
        c.weighs(Level::Should);
    }
}

/// From here on the client may say QUIT, and nothing else, and then it reports a failure. It may also wait for an answer
/// that it understands, until the connection ends.
pub(super) fn gives_up(c: &mut Play<'_>) -> Judged<String> {
    loop {
        let next = c.command();
        let Some(Some(line)) = c.let_go(next)? else { break };
        c.check(line.verb == "QUIT", "QUIT or the end of the connection", line.shown())?;
        c.say(b"+OK\r\n")?;
    }
    fails(c)
}

/// The session to its end, which is a good one, and all messages of the honest server are stored.
pub(super) fn fetches_all(c: &mut Play<'_>) -> Judged {
    c.serve()?;
    all_stored(c)
}

/// The client ended well, and every message that it asked for is stored.
pub(super) fn all_stored(c: &mut Play<'_>) -> Judged {
    ends_well(c)?;
    let asked = retrieved(c);
    if asked.is_empty() {
        return skip("the client gave no RETR");
    }
    if c.ours() {
        let want = c.honest.messages.len();
        c.check(asked.len() == want, format!("{want} times RETR"), format!("RETR of {asked:?}"))?;
    }
    for number in asked {
        if let Some((_, message)) = number.checked_sub(1).and_then(|index| c.honest.messages.get(index)) {
            let message = message.clone();
            c.has_stored(&message)?;
        }
    }
    Ok(())
}

/// The numbers that the client gave to RETR.
pub(super) fn retrieved(c: &Play<'_>) -> Vec<usize> {
    let numbers = c.lines().iter().filter(|line| line.verb == "RETR");
    numbers.filter_map(|line| String::from_utf8_lossy(&line.rest).parse().ok()).collect()
}

/// The client's lines that are no responses in a SASL exchange.
pub(super) fn commands(c: &Play<'_>) -> Vec<Line> {
    c.lines().iter().filter(|line| !line.verb.is_empty()).cloned().collect()
}

/// Nothing of the user's credentials was sent, and no login was begun.
pub(super) fn no_login_was_tried(c: &Play<'_>) -> Judged {
    for line in c.lines() {
        let login = matches!(line.verb.as_str(), "USER" | "PASS" | "APOP" | "AUTH" | "");
        c.check(!login, "no login", line.shown())?;
    }
    Ok(())
}

/// The same answer with another first line.
pub(super) fn with_first_line(answer: &[u8], first: &[u8]) -> Vec<u8> {
    let end = answer.iter().position(|&octet| octet == b'\n').map_or(answer.len(), |lf| lf + 1);
    [first, b"\r\n", &answer[end..]].concat()
}

/// Whether the answer to this line begins with words for people, and not with numbers for programs.
pub(super) fn is_free_text(line: &Line) -> bool {
    match line.verb.as_str() {
        "STAT" | "" => false,
        "LIST" | "UIDL" => line.rest.is_empty(),
        _ => true,
    }
}

/// The honest answer with all its data lines changed.
pub(super) fn with_rows(honest: &mut Honest, line: &Line, change: impl Fn(&str) -> String) -> Vec<u8> {
    let answer = String::from_utf8_lossy(&honest.answer(line.text())).into_owned();
    let mut lines = answer.split_inclusive("\r\n");
    let mut changed = lines.next().unwrap_or_default().to_owned();
    for row in lines {
        let row = row.trim_end();
        changed.push_str(&if row == "." { row.to_owned() } else { change(row) });
        changed.push_str("\r\n");
    }
    changed.into_bytes()
}

/// Reads commands, without an answer to any, until no more come.
pub(super) fn until_quiet(c: &mut Play<'_>) -> Judged<Vec<Line>> {
    let mut lines = Vec::new();
    loop {
        if c.quiet().is_ok() {
            return Ok(lines);
        }
        match c.command()? {
            Some(line) => lines.push(line),
            None => return Ok(lines),
        }
    }
}
