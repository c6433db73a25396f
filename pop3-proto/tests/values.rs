//! Values mean what they say: equal where the RFC calls them equal and nowhere else, and the same after they were made
//! owned, borrowed, decoded or stored in a set. A comparison that is always true lets a wrong digest in.

use pop3_proto::grammar::Fault;
use pop3_proto::{
    Capability, Client, Command, Config, Data, Digest, DropListing, Error, ErrorClass, LanguageListing, LanguageTag,
    Mechanisms, MessageNumber, Misuse, Quirk, Quirks, ResponseCode, ScanListing, Secret, Text, Timestamp, UniqueId,
    UniqueIdListing, Verb, Wait,
};
use std::collections::HashSet;

#[test]
fn a_text_equals_its_own_octets_and_no_others() {
    let text = Text::from(b"one two");
    assert!(text == *"one two" && text == "one two" && text == b"one two"[..]);
    assert!(text != *"one tw" && text != "one twO" && text != b"one  two"[..]);
    assert_eq!((text.as_str(), text.as_ref()), (Some("one two"), &b"one two"[..]));
    assert_eq!(text.as_borrowed(), text);
    assert_eq!(text.clone().into_owned().into_bytes(), &b"one two"[..]);
    assert_eq!(Text::from(b"\xFF").as_str(), None);
}

/// A log line is one line, and says what it says from the left to the right.
#[test]
fn what_ends_a_line_or_turns_it_around_is_escaped() {
    let escaped = "\u{61C}\u{200E}\u{200F}\u{2028}\u{2029}\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}\u{2066}\u{2067}\u{2068}\u{2069}\u{85}\u{7f}";
    for character in escaped.chars() {
        let shown = Text::from(format!("a{character}b").as_str()).to_string();
        assert_eq!(shown, format!("a\\u{{{:x}}}b", u32::from(character)));
    }
    let kept = "\u{61B}\u{61D}\u{200D}\u{2010}\u{2027}\u{202F}\u{2065}\u{206A} \u{5E9}\u{644}\u{e9}";
    assert_eq!(Text::from(kept).to_string(), kept);
}

#[test]
fn texts_and_unique_ids_are_sorted_and_found_in_sets_by_their_octets() {
    let texts = [&b""[..], b"\0", b"A", b"a", b"a\0", b"ab", b"b", b"\xFF"].map(Text::from);
    for (at, one) in texts.iter().enumerate() {
        for (place, other) in texts.iter().enumerate() {
            assert_eq!((one.cmp(other), one.partial_cmp(other)), (at.cmp(&place), Some(at.cmp(&place))));
            assert_eq!(one < other, at < place);
        }
        // Borrowed or owned, it is the same key.
        assert_eq!(hash(one), hash(&one.clone().into_owned()));
        assert_eq!(texts.iter().filter(|other| hash(*other) == hash(one)).count(), 1, "{one:?}");
    }
    let id = |octets: &'static str| UniqueId::new(octets).unwrap();
    assert!(id("a") < id("ab") && id("B") < id("a"));
    assert_ne!(hash(&id("a")), hash(&id("ab")));
}

#[test]
fn what_an_answer_carries_is_the_same_without_its_line() {
    let number = MessageNumber::new(3).unwrap();
    let line = b"id-3 en-boont".to_vec();
    let language = LanguageTag::new(&line[5..]).unwrap();
    let unique_id = UniqueIdListing { number, id: UniqueId::new(&line[..4]).unwrap() };
    let all = [
        Data::None,
        Data::Drop(DropListing { messages: 2, octets: Some(320) }),
        Data::Scan(ScanListing { number, octets: 120 }),
        Data::UniqueId(unique_id),
        Data::Language(language),
        Data::Octets(120),
        Data::Malformed(Fault::Number),
    ];
    let owned: [Data<'static>; 7] = all.clone().map(Data::into_owned);
    assert_eq!(owned, all);
    drop(line);
    assert_eq!(
        format!("{:?}", owned[3]),
        "UniqueId(UniqueIdListing { number: MessageNumber(3), id: UniqueId(\"id-3\") })"
    );
}

#[test]
fn what_was_read_is_the_same_without_the_octets_that_it_was_read_from() {
    let wire = b"+OK [X-CODE] capabilities\r\nSASL PLAIN\r\nX-ODD one two\r\nEXPIRE 60 USER\r\n.\r\n".to_vec();
    let (_, list) = pop3_proto::grammar::capability_list(&wire).unwrap();
    let lines: Vec<_> = list.content.into_iter().map(Result::unwrap).collect();
    let (status, capabilities) = (list.status.clone().into_owned(), lines.clone());
    let capabilities: Vec<Capability<'static>> = capabilities.into_iter().map(Capability::into_owned).collect();
    assert_eq!((&status, &capabilities), (&list.status, &lines));
    drop(wire);
    assert_eq!((status.code.unwrap().to_string(), status.text.as_str()), ("[X-CODE]".into(), Some("capabilities")));
    let printed: Vec<String> = capabilities.iter().map(ToString::to_string).collect();
    assert_eq!(printed, ["SASL PLAIN", "X-ODD one two", "EXPIRE 60 USER"]);

    let greeting = b"ready <1896.697170952@dbc.mtview.ca.us>".to_vec();
    let timestamp = Timestamp::find(&greeting).unwrap().into_owned();
    drop(greeting);
    assert_eq!(timestamp.as_bytes(), b"<1896.697170952@dbc.mtview.ca.us>");

    let row = b"en-boont Boontling".to_vec();
    let (tag, description) = (LanguageTag::new(&row[..8]).unwrap(), Text::from(&row[9..]));
    let listing = LanguageListing { tag: tag.clone(), description };
    let (tag, listing) = (tag.into_owned(), listing.into_owned());
    drop(row);
    assert_eq!((&tag, listing.description.as_str()), (&listing.tag, Some("Boontling")));
    assert_eq!(tag.to_string(), "en-boont");
}

#[test]
fn a_challenge_is_the_same_without_its_line() {
    let mut client = Client::over_tls(Config::new(), pop3_proto::Peer::Verified);
    client.next_event(&mut &b"+OK ready\r\n"[..]).unwrap();
    client.send(&Command::auth("X-MINE").unwrap(), &mut vec![]).unwrap();
    let line = b"+ VXNlcm5hbWU6\r\n".to_vec();
    let event = client.next_event(&mut &line[..]).unwrap();
    let Some(pop3_proto::Event::Challenge(challenge)) = event else { panic!("{event:?}") };
    let owned: pop3_proto::Challenge<'static> = challenge.clone().into_owned();
    assert_eq!(owned, challenge);
    drop(line);
    assert_eq!(owned.line(), "VXNlcm5hbWU6");
}

#[test]
fn secrets_compare_by_every_octet_and_their_length() {
    let secret = |octets: &'static [u8]| Secret::from(octets);
    assert_eq!(secret(b"tanstaaf"), secret(b"tanstaaf").into_owned());
    // Differences that cancel each other out count as well.
    for other in [&b"tanstaag"[..], b"Tanstaaf", b"atnstaaf", b"tanstaa", b"tanstaaff", b""] {
        assert_ne!(secret(b"tanstaaf"), secret(other), "{}", other.escape_ascii());
    }
    let digest = |digits: &str| Digest::new(digits.as_bytes()).unwrap();
    let one = "c4c9334bac560ecc979e58001b3e22fb";
    assert_eq!(digest(one), digest(one));
    assert_ne!(digest(one), digest("4cc9334bac560ecc979e58001b3e22fb"));
    assert_ne!(digest(one), digest("c4c9334bac560ecc979e58001b3e22fc"));
}

#[test]
fn lists_of_mechanisms_compare_and_hash_by_their_names() {
    let (_, list) = pop3_proto::grammar::capability_list(b"+OK\r\nSASL PLAIN  X-TWO\r\n.\r\n").unwrap();
    let Some(Ok(Capability::Sasl(listed))) = list.content.into_iter().next() else { panic!("SASL") };
    let one = Mechanisms::new(["PLAIN", "X-TWO"]).unwrap();
    assert_eq!(listed, one);
    assert_ne!(Mechanisms::new(["PLAIN"]).unwrap(), one);
    assert_ne!(Mechanisms::new(["X-TWO", "PLAIN"]).unwrap(), one);
    let capability = |names: &[&'static str]| Capability::Sasl(Mechanisms::new(names.iter().copied()).unwrap());
    let set = HashSet::from([Capability::Sasl(listed)]);
    assert!(set.contains(&capability(&["PLAIN", "X-TWO"])));
    assert_ne!(hash(&capability(&["PLAIN", "X-TWO"])), hash(&capability(&["PLAIN"])));
}

fn hash(value: &impl std::hash::Hash) -> u64 {
    use std::hash::{DefaultHasher, Hasher as _};
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(feature = "sasl")]
#[test]
fn an_initial_response_is_decoded_and_an_equals_sign_is_the_empty_one() {
    use pop3_proto::grammar::Fault;
    let initial = |line: Option<&'static str>| {
        let command = match line {
            Some(line) => Command::auth_with_initial("X-MINE", line).unwrap(),
            None => Command::auth("X-MINE").unwrap(),
        };
        let Command::Auth(auth) = command else { panic!("AUTH") };
        auth.initial().map(|secret| secret.map(|secret| secret.reveal().to_vec()))
    };
    assert_eq!(initial(None), Ok(None));
    assert_eq!(initial(Some("=")), Ok(Some(vec![])));
    assert_eq!(initial(Some("AGE=")), Ok(Some(vec![0, b'a'])));
    assert_eq!(initial(Some("AGF=")), Err(Fault::Base64), "bits that count for nothing are set");
}

#[test]
fn what_is_no_base64_is_no_initial_response() {
    let refused = |line: &'static str| Command::auth_with_initial("PLAIN", line).unwrap_err();
    assert_eq!(refused("abc"), Misuse::Base64);
    assert_eq!(refused("ab+"), Misuse::Base64);
    assert_eq!(refused("a/="), Misuse::Base64);
    assert_eq!(refused("=abc"), Misuse::Base64);
    assert_eq!(refused("ab c"), Misuse::Base64);
    assert_eq!(refused("ab\rc"), Misuse::Base64);
    assert_eq!(refused(""), Misuse::Base64);
}

#[test]
fn a_command_tells_which_message_it_names() {
    let seven = MessageNumber::new(7);
    for command in [
        Command::list(7).unwrap(),
        Command::uidl(7).unwrap(),
        Command::retr(7).unwrap(),
        Command::dele(7).unwrap(),
        Command::top(7, 3).unwrap(),
    ] {
        assert_eq!(command.number(), seven, "{command:?}");
    }
    for command in [Command::List(None), Command::Uidl(None), Command::Stat, Command::user("7").unwrap()] {
        assert_eq!(command.number(), None, "{command:?}");
    }
}

#[test]
fn an_error_is_about_credentials_only_where_the_server_said_so() {
    let refused = |code| Error::GreetingRefused { code, text: Text::default() };
    let code = |code| Some(ResponseCode::new(code).unwrap());
    assert_eq!(refused(code("SYS/TEMP")).class(), Some(ErrorClass::Temporary));
    assert_eq!(refused(code("SYS/PERM")).class(), Some(ErrorClass::Permanent));
    assert_eq!(refused(None).class(), Some(ErrorClass::Unknown));
    assert_eq!(Error::AuthRejectedByClose { to: Verb::Pass }.class(), Some(ErrorClass::Credentials));
    assert_eq!(Error::Eof { awaiting: Wait::Reply(Verb::Pass) }.class(), None);
}

#[test]
fn lower_case_letters_digits_hyphen_and_underscore_stand_for_themselves_in_a_file_name() {
    let name = |id: &'static str| UniqueId::new(id).unwrap().file_name().unwrap();
    assert_eq!(name("az09-_"), "uid-az09-_");
    assert_eq!(name("AZ.~"), "uid-%41%5a%2e%7e");
}

#[test]
fn every_response_code_is_the_same_without_the_borrow() {
    for code in ["LOGIN-DELAY", "IN-USE", "SYS/TEMP", "SYS/PERM", "AUTH", "UTF8", "SYS/TEMP/DISK", "X-OTHER"] {
        let code = ResponseCode::new(code).unwrap();
        assert_eq!(code.clone().into_owned(), code);
    }
}

#[test]
fn the_size_of_a_message_is_what_retr_sends() {
    use pop3_proto::wire::dot::{Newlines, Size};
    assert_eq!(Size::of(b"one\n.two\nthree", Newlines::Canonical), 18);
    assert_eq!(Size::of(b"", Newlines::Canonical), 0);
}

#[test]
fn a_quirk_taken_out_leaves_the_others() {
    let all = Quirk::ALL.into_iter().fold(Quirks::STRICT, Quirks::with);
    for quirk in Quirk::ALL {
        let left = all.without(quirk);
        assert_eq!(left.iter().count(), Quirk::ALL.len() - 1, "{quirk:?}");
        assert!(!left.contains(quirk) && !left.is_empty());
        assert_eq!(left.with(quirk), all);
    }
}

/// Whether octets of the marker are in memory at `at`: the kernel looks.
#[cfg(target_os = "linux")]
fn is_in_memory(marker: &[u8], at: usize) -> bool {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut memory = std::fs::File::open("/proc/self/mem").unwrap();
    let mut seen = vec![0; marker.len()];
    memory.seek(SeekFrom::Start(at as u64)).unwrap();
    memory.read_exact(&mut seen).unwrap();
    // The allocator keeps books in the first octets of what is free.
    seen[32..].windows(8).any(|window| marker[32..].windows(8).any(|secret| secret == window))
}

#[cfg(target_os = "linux")]
fn marker() -> Vec<u8> {
    (0..64_u8).map(|octet| b'A' ^ (octet.wrapping_mul(37))).collect()
}

/// What the feature `zeroize` promises: a secret is wiped when it is dropped. The memory that it had is looked at through
/// the kernel; without the feature the same look finds the octets, so that this test can fail.
#[cfg(target_os = "linux")]
#[test]
fn a_dropped_secret_is_wiped_with_the_feature_and_not_without() {
    let marker = marker();
    // Another test may take what is free before the look: so it is taken more than once.
    let looks = 0..20;
    let freed = || {
        let plain = marker.clone();
        let at = plain.as_ptr() as usize;
        assert!(is_in_memory(&marker, at));
        drop(plain);
        !is_in_memory(&marker, at)
    };
    assert!(!looks.clone().all(|_| freed()), "what is merely freed is still there");

    let secret = || {
        let secret = Secret::from(marker.clone());
        let at = secret.reveal().as_ptr() as usize;
        assert!(is_in_memory(&marker, at));
        drop(secret);
        !is_in_memory(&marker, at)
    };
    assert_eq!(looks.clone().all(|_| secret()), cfg!(feature = "zeroize"));

    // A name is no secret, but it may be a password that was typed a line too early: who has it last wipes it.
    let name = || {
        let (text, other) = (Text::from(marker.clone()), Text::from(marker.clone()));
        let (last, at) = (text.clone(), text.as_bytes().as_ptr() as usize);
        assert_ne!(at, other.as_bytes().as_ptr() as usize);
        drop(text);
        assert!(is_in_memory(&marker, at) && last == other);
        drop(last);
        !is_in_memory(&marker, at)
    };
    assert_eq!(looks.clone().all(|_| name()), cfg!(feature = "zeroize"));
}

/// The same for a response in base64 that turns out to be none, when its octets are there already: all memory is searched.
#[cfg(all(feature = "zeroize", feature = "sasl", target_os = "linux"))]
#[test]
fn a_password_in_base64_that_is_not_canonical_is_wiped_too() {
    use pop3_proto::{Builtin, Greeting, Incoming, Server};
    use std::os::unix::fs::FileExt as _;

    // The test has no copy of it in the clear when it looks.
    let masked: Vec<u8> = (0..199_u32).map(|n| (b'a' + (n * n % 23) as u8) ^ 0x55).collect();
    let mut clear = Vec::with_capacity(300);
    clear.extend_from_slice(b"\0test\0");
    clear.extend(masked.iter().map(|octet| octet ^ 0x55));
    let base64 = <base64ct::Base64 as base64ct::Encoding>::encode_string(&clear);
    clear.fill(0);
    let mut line = [base64.as_bytes(), b"\r\n"].concat();
    let last = line.len() - 5;
    assert_eq!(line[last + 1], b'=');
    line[last] += 1; // a bit that counts for nothing

    let mut out = vec![];
    let config = Config::new().builtin_mechanisms([Builtin::Plain]);
    let mut server = Server::over_tls(config, Greeting::text("ready").unwrap(), &mut out);
    assert_eq!(server.next_event(&mut &b"AUTH PLAIN\r\n"[..], &mut out), Ok(None));
    assert!(matches!(server.next_event(&mut &line[..], &mut out), Ok(Some(Incoming::Refused { .. }))));

    let memory = std::fs::File::open("/proc/self/mem").unwrap();
    let mut searched = 0;
    for map in std::fs::read_to_string("/proc/self/maps").unwrap().lines().filter(|map| map.contains(" rw-p ")) {
        let (from, to) = map.split_once(' ').unwrap().0.split_once('-').unwrap();
        let [from, to] = [from, to].map(|place| u64::from_str_radix(place, 16).unwrap());
        let mut octets = vec![0; (to - from).min(64 << 20) as usize];
        let read = memory.read_at(&mut octets, from).unwrap_or(0);
        searched += read;
        let first = masked[40] ^ 0x55;
        let found = memchr::memchr_iter(first, &octets[..read])
            .filter_map(|at| octets.get(at..at + 100))
            .any(|seen| seen.iter().zip(&masked[40..]).all(|(octet, kept)| octet ^ 0x55 == *kept));
        assert!(!found, "the password is in {map}");
    }
    assert!(searched > 100_000, "only {searched} octets could be read");
}

/// The same for half a line, which may be half of a PASS command: when the machine goes, when the line was too long or is
/// done with, and when it outgrows its buffer.
#[cfg(target_os = "linux")]
#[test]
fn half_a_line_is_wiped_with_the_feature_and_not_without() {
    use pop3_proto::wire::line::{Ending, Lines, TooLong};
    let marker: Vec<u8> = marker().into_iter().map(|octet| octet.max(b' ')).collect();
    let wiped = |how: fn(&mut Option<Lines>)| {
        let mut lines = Lines::new();
        let buffer = Vec::with_capacity(marker.len());
        let at = buffer.as_ptr() as usize;
        lines.reuse(buffer);
        assert_eq!(lines.find(&mut &marker[..], Ending::Crlf, 4096), Ok(None));
        assert!(is_in_memory(&marker, at));
        let mut lines = Some(lines);
        how(&mut lines);
        !is_in_memory(&marker, at)
    };
    let with_the_feature = cfg!(feature = "zeroize");
    // (Without the feature, what is free may have been taken for something else before the look.)
    assert!(wiped(|lines| *lines = None) || !with_the_feature);
    assert_eq!((0..20).all(|_| wiped(|lines| lines.as_mut().unwrap().clear())), with_the_feature);
    assert_eq!(
        (0..20).all(|_| wiped(|lines| {
            let lines = lines.as_mut().unwrap();
            let buffer = lines.take_carried();
            lines.reuse(buffer);
        })),
        with_the_feature
    );
    assert_eq!(
        (0..20).all(|_| wiped(|lines| {
            let found = lines.as_mut().unwrap().find(&mut &b"xx"[..], Ending::Crlf, 66);
            assert_eq!(found, Err(TooLong));
        })),
        with_the_feature
    );
    // A buffer that grows in place keeps its octets for the line that they belong to.
    if with_the_feature {
        assert!(wiped(|lines| {
            assert_eq!(lines.as_mut().unwrap().find(&mut &b"x"[..], Ending::Crlf, 4096), Ok(None));
        }));
    }
}

#[test]
fn a_default_client_is_a_new_one() {
    assert_eq!(format!("{:?}", Client::default()), format!("{:?}", Client::new()));
    assert_eq!(format!("{:?}", Config::default()), format!("{:?}", Config::new()));
}
