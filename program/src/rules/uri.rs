//! Where an agent's metadata may live.

use super::text::{contains_any, has_control};
use crate::errors::{Error, ensure};

pub const MIN_BYTES: usize = 10;
pub const MAX_BYTES: usize = 200;

/// An absolute web address without anything that a browser could be made to run.
pub fn check(uri: &str) -> Result<(), Error> {
    ensure(
        !uri.trim().is_empty()
            && (MIN_BYTES..=MAX_BYTES).contains(&uri.len())
            && (uri.starts_with("https://") || uri.starts_with("http://"))
            && !contains_any(uri, refused)
            && !has_control(uri, b"\t"),
        Error::InvalidMetadataUriLength,
    )
}

fn refused(first: u8) -> &'static [&'static str] {
    match first {
        b'.' => &[".."],
        b'<' => &["<script"],
        b'a' => &["about:"],
        b'c' => &["chrome:"],
        b'd' => &["data:"],
        b'f' => &["file:", "ftp:"],
        b'j' => &["javascript:"],
        b'o' => &["onerror", "onload", "onclick"],
        b'v' => &["vbscript:"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_web_addresses_when_checked_then_they_pass() {
        for uri in ["https://example.com/agent.json", "http://a.b", "https://example.com/é", "https://a\tb.c"] {
            assert_eq!(check(uri), Ok(()), "{uri}");
        }
    }

    #[test]
    fn given_anything_else_when_checked_then_it_is_refused() {
        for uri in [
            "",
            "           ",
            "http://a.",
            "HTTPS://example.com",
            "ipfs://QmHash",
            "https://a/../b",
            "https://metadata:8443/a.json",
            "https://a/?JavaScript:x",
            "https://a/<SCRIPT",
            "https://a/\n",
            "https://a/\0",
            "https://a/\u{85}",
            "https://a/about:x",
            "https://a/chrome:x",
            "https://a/file:x",
            "https://a/ftp:x",
            "https://a/vbscript:x",
            "https://a/onerror",
            "https://a/onload",
            "https://a/onclick",
        ] {
            assert_eq!(check(uri), Err(Error::InvalidMetadataUriLength), "{uri}");
        }
    }

    #[test]
    fn given_the_limit_when_checked_then_one_byte_more_is_refused() {
        let longest = ["https://"; 25].concat();
        assert_eq!(check(&longest), Ok(()));
        assert!(check(&(longest + "x")).is_err());
    }
}
