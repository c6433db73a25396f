//! The digests of APOP (RFC 1939 §7) and CRAM-MD5 (RFC 2195), from MD5 alone.

use md5::{Digest as _, Md5};

/// APOP: "the timestamp (including angle-brackets) followed by a shared secret", in lower-case hexadecimal.
#[must_use]
pub(crate) fn apop(timestamp: &str, secret: &str) -> String {
    hexadecimal(&Md5::new().chain_update(timestamp).chain_update(secret).finalize())
}

/// CRAM-MD5: the keyed digest of the challenge (RFC 2104), in lower-case hexadecimal.
#[must_use]
pub(crate) fn cram_md5(challenge: &[u8], secret: &str) -> String {
    let mut key = [0; 64];
    if secret.len() > key.len() {
        key[..16].copy_from_slice(&Md5::digest(secret));
    } else {
        key[..secret.len()].copy_from_slice(secret.as_bytes());
    }
    let inner = Md5::new().chain_update(key.map(|octet| octet ^ 0x36)).chain_update(challenge).finalize();
    hexadecimal(&Md5::new().chain_update(key.map(|octet| octet ^ 0x5C)).chain_update(inner).finalize())
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digests_are_those_that_the_rfcs_print() {
        let timestamp = "<1896.697170952@dbc.mtview.ca.us>";
        assert_eq!(apop(timestamp, "tanstaaf"), "c4c9334bac560ecc979e58001b3e22fb");
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        assert_eq!(cram_md5(challenge, "tanstaaftanstaaf"), "b913a602c7eda7a495b4e6e7334d3890");
    }
}
