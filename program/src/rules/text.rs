//! Searching text without lowering a copy of it.

/// The patterns that begin with a byte. They are lower-case ASCII.
pub type Patterns = fn(first: u8) -> &'static [&'static str];

/// Whether the lower-cased text contains one of the patterns.
pub fn contains_any(text: &str, patterns: Patterns) -> bool {
    let bytes = text.as_bytes();
    (0..bytes.len()).any(|start| {
        patterns(bytes[start].to_ascii_lowercase()).iter().any(|pattern| starts_with(&bytes[start..], pattern))
    })
}

fn starts_with(text: &[u8], pattern: &str) -> bool {
    let mut rest = text;
    pattern.bytes().all(|expected| {
        let (found, after) = match rest {
            // U+212A, the Kelvin sign: the only character beyond ASCII whose lower case is one ASCII letter.
            [0xe2, 0x84, 0xaa, after @ ..] => (b'k', after),
            [byte, after @ ..] => (byte.to_ascii_lowercase(), after),
            [] => return false,
        };
        rest = after;
        found == expected
    })
}

/// Whether the text has a control character (Unicode Cc) other than the allowed ones.
pub fn has_control(text: &str, allowed: &[u8]) -> bool {
    let mut previous = 0;
    text.bytes().any(|byte| {
        let control = match byte {
            0..0x20 | 0x7f => !allowed.contains(&byte),
            // U+0080 to U+009F
            0x80..0xa0 => previous == 0xc2,
            _ => false,
        };
        previous = byte;
        control
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(first: u8) -> &'static [&'static str] {
        match first {
            b'o' => &["onclick", "onload"],
            _ => &[],
        }
    }

    #[test]
    fn given_mixed_case_when_searched_then_it_is_found_anywhere() {
        assert!(contains_any("an ONload", patterns));
        assert!(contains_any("oonclick", patterns));
        assert!(contains_any("oNclic\u{212a}", patterns));
        assert!(!contains_any("onloa", patterns));
        assert!(!contains_any("", patterns));
    }

    #[test]
    fn given_each_character_when_searched_then_controls_are_those_of_unicode() {
        for character in '\0'..='\u{3000}' {
            let mut bytes = [0; 4];
            let text = character.encode_utf8(&mut bytes);
            assert_eq!(has_control(text, b""), character.is_control(), "{character:?}");
        }
        assert!(!has_control("a\tb", b"\t"));
    }
}
