//! What may be said in a channel.

use super::text::{contains_any, has_control};
use crate::errors::{Error, ensure};

/// Stored on chain.
pub const MAX_BYTES: usize = 1000;
/// Announced only.
pub const MAX_COMPRESSED_BYTES: usize = 10_000;
pub const MAX_CID_BYTES: usize = 100;

/// Content to be stored.
pub fn stored(content: &str) -> Result<(), Error> {
    ensure(content.len() <= MAX_BYTES && !content.trim().is_empty(), Error::MessageContentTooLong)?;
    filter(content)
}

/// Content to be announced. That it is not empty is checked last of all.
pub fn compressed(content: &str) -> Result<(), Error> {
    ensure(content.len() <= MAX_COMPRESSED_BYTES, Error::MessageContentTooLong)?;
    filter(content)
}

/// The content identifier of what is kept off chain.
pub fn cid(cid: &str) -> Result<(), Error> {
    ensure(
        (1..=MAX_CID_BYTES).contains(&cid.len()) && cid.chars().all(char::is_alphanumeric),
        Error::InvalidMetadataUriLength,
    )
}

fn filter(content: &str) -> Result<(), Error> {
    ensure(
        !has_control(content, b"\t\n\r") && !contains_any(content, refused) && !is_repetitive(content),
        Error::MessageContentTooLong,
    )
}

fn refused(first: u8) -> &'static [&'static str] {
    match first {
        b'\'' => &["' or 1=1", "'; --"],
        b'*' => &["*/"],
        b'/' => &["/*"],
        b'<' => &["<script", "</script>"],
        b'a' => &["about:"],
        b'd' => &["data:text/html", "drop table", "delete from"],
        b'e' => &["eval("],
        b'f' => &["file:"],
        b'i' => &["insert into"],
        b'j' => &["javascript:"],
        b'o' => &["onerror", "onload", "onclick"],
        b'u' => &["update set", "union select"],
        b'v' => &["vbscript:"],
        _ => &[],
    }
}

/// Whether one character makes more than half of at least ten bytes.
///
/// A character of two bytes or more can make at most half of them, so only ASCII is looked at.
fn is_repetitive(content: &str) -> bool {
    if content.len() < 10 {
        return false;
    }
    let candidate = majority(content.as_bytes());
    candidate.is_ascii() && content.bytes().filter(|byte| *byte == candidate).count() > content.len() / 2
}

/// The byte that makes more than half of the bytes, if one does (Boyer and Moore's vote).
fn majority(bytes: &[u8]) -> u8 {
    let mut candidate = 0;
    let mut lead = 0_usize;
    for byte in bytes {
        match lead {
            0 => (candidate, lead) = (*byte, 1),
            _ if candidate == *byte => lead += 1,
            _ => lead -= 1,
        }
    }
    candidate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_ordinary_text_when_checked_then_it_passes() {
        for content in [
            "hi",
            "gm, agents",
            "tab\tline\r\n",
            "Function(",
            "setTimeout(",
            "ééééééééééé",
            "\u{4000}\u{4000}\u{4000}\u{4000}",
        ] {
            assert_eq!(stored(content), Ok(()), "{content:?}");
        }
    }

    #[test]
    fn given_refused_text_when_checked_then_the_code_is_that_of_content() {
        for content in [
            "",
            " \u{85}",
            "a\0",
            "a\u{9f}",
            "JavaScript:",
            "<script",
            "</SCRIPT>",
            "onerror",
            "onload",
            "onclicK",
            "data:text/html",
            "vbscript:",
            "about:",
            "profile: x",
            "medieval(",
            "DROP TABLE",
            "delete from",
            "update set",
            "insert into",
            "union select",
            "' or 1=1",
            "'; --",
            "/* x",
            "x */",
            "----------",
            "aaaaaabcdef",
        ] {
            assert_eq!(stored(content), Err(Error::MessageContentTooLong), "{content:?}");
        }
    }

    #[test]
    fn given_half_of_one_character_when_checked_then_it_passes() {
        assert_eq!(stored("aaaaabcdef"), Ok(()));
        assert_eq!(stored("aaaaaaaaa"), Ok(()));
        assert_eq!(stored("aaaaaabcde"), Err(Error::MessageContentTooLong));
    }

    #[test]
    fn given_limits_when_checked_then_one_byte_more_is_refused() {
        assert_eq!(stored(&"ab c".repeat(250)), Ok(()));
        assert!(stored(&("ab c".repeat(250) + "x")).is_err());
        assert_eq!(compressed(""), Ok(()));
        assert_eq!(compressed(&"ab c".repeat(2500)), Ok(()));
        assert!(compressed(&("ab c".repeat(2500) + "x")).is_err());
    }

    #[test]
    fn given_an_identifier_when_checked_then_it_is_alphanumeric() {
        assert_eq!(cid("QmX"), Ok(()));
        assert_eq!(cid("é9"), Ok(()));
        for refused in ["", "a-b", "a b", &"x".repeat(101)] {
            assert_eq!(cid(refused), Err(Error::InvalidMetadataUriLength));
        }
    }
}
