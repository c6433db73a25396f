//! How our own server is set up where a case needs it otherwise. Nothing here judges anything.

use crate::peer::house::House;
use pop3_proto::{Builtin, Expiry, PerUser};

/// No login without TLS.
pub(super) fn no_cleartext_login(house: &mut House) {
    house.cleartext_login = false;
}

/// The maildrop cannot be opened: a failure that will pass.
pub(super) fn system_fails(house: &mut House) {
    house.system_fails = true;
}

/// The user has logged in a moment ago, and LOGIN-DELAY is a minute.
pub(super) fn login_too_soon(house: &mut House) {
    house.login_too_soon = true;
    house.config = |config| config.login_delay(60, PerUser::Same);
}

/// LOGIN-DELAY and EXPIRE that may differ from user to user.
pub(super) fn values_per_user(house: &mut House) {
    house.config = |config| config.login_delay(60, PerUser::Differs).expire(Expiry::Days(7), PerUser::Differs);
}

/// `EXPIRE 0`.
pub(super) fn expire_at_once(house: &mut House) {
    house.config = |config| config.expire(Expiry::Days(0), PerUser::Same);
}

/// No RESP-CODES.
pub(super) fn no_response_codes(house: &mut House) {
    house.config = pop3_proto::Config::without_response_codes;
}

/// Every mechanism that our server runs by itself.
pub(super) fn many_mechanisms(house: &mut House) {
    house.config = |config| {
        config.builtin_mechanisms([
            Builtin::Plain,
            Builtin::Login,
            Builtin::External,
            Builtin::Anonymous,
            Builtin::Xoauth2,
            Builtin::Oauthbearer,
        ])
    };
}

/// A command line may have 255 octets, no more.
pub(super) fn commands_of_255_octets(house: &mut House) {
    house.config = |config| config.command_line(255);
}

/// No STLS.
pub(super) fn no_stls(house: &mut House) {
    house.stls = false;
}

/// A mechanism that begins a security layer.
pub(super) fn security_layer(house: &mut House) {
    house.layer = true;
}

/// Messages with 8-bit octets in the header need UTF8.
pub(super) fn utf8_mail_refused(house: &mut House) {
    house.utf8_mail_refused = true;
}

/// A client's certificate is enough.
pub(super) fn certificate(house: &mut House) {
    house.certificate = true;
    house.config = |config| config.builtin_mechanisms([Builtin::Plain, Builtin::External]);
}

/// Messages that an incautious server cuts short, and what RETR has to send of each.
pub(super) const ODD: [(&[u8], &[u8]); 14] = [
    (b".", b".\r\n"),
    (b"..", b"..\r\n"),
    (b"", b""),
    (b"\n", b"\r\n"),
    (b".\n", b".\r\n"),
    (b"\n.\n", b"\r\n.\r\n"),
    (b"a\n.\nb\n", b"a\r\n.\r\nb\r\n"),
    (b"a\r\n.\r\nQUIT\r\n", b"a\r\n.\r\nQUIT\r\n"),
    (b"no line end", b"no line end\r\n"),
    (b"a\n.", b"a\r\n.\r\n"),
    (b"a\r.\rb\n", b"a\r.\rb\r\n"),
    (b"a\n.\0\n", b"a\r\n.\0\r\n"),
    (b"...\n....\n", b"...\r\n....\r\n"),
    (b"a\r\n.\nb\r\n", b"a\r\n.\r\nb\r\n"),
];

/// A maildrop of [`ODD`] messages, in that order.
pub(super) fn odd_messages(house: &mut House) {
    let stored = ODD.iter().enumerate();
    house.messages = stored.map(|(at, (octets, _))| (format!("odd-{at}"), octets.to_vec())).collect();
}

/// More messages than anybody reads.
pub(super) fn many_messages(house: &mut House) {
    house.messages = (0..3000).map(|at| (format!("many-{at}"), b"Subject: one of many\n\nx\n".to_vec())).collect();
}

/// Every mechanism, and no login without TLS.
pub(super) fn many_mechanisms_over_tls(house: &mut House) {
    many_mechanisms(house);
    no_cleartext_login(house);
}
