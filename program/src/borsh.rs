//! Borsh, as far as the program speaks it. Nothing is allocated: strings and lists are views of the bytes they came from,
//! or texts of a fixed capacity.

use pinocchio::Address;

/// Bytes still to be read.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    /// The next value.
    pub fn read<T: Decode<'a>>(&mut self) -> Option<T> {
        T::decode(self)
    }
}

/// Room still to be written.
pub struct Writer<'a> {
    room: &'a mut [u8],
    written: usize,
}

impl<'a> Writer<'a> {
    pub const fn new(room: &'a mut [u8]) -> Self {
        Self { room, written: 0 }
    }

    /// Bytes written so far.
    pub const fn written(&self) -> usize {
        self.written
    }

    /// Appends bytes; nothing is written when they do not fit.
    pub fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.written + bytes.len();
        self.room.get_mut(self.written..end)?.copy_from_slice(bytes);
        self.written = end;
        Some(())
    }

    /// Appends a value; `None` when it does not fit.
    pub fn write(&mut self, value: &impl Encode) -> Option<()> {
        value.encode(self)
    }
}

/// A value that can be read from Borsh.
pub trait Decode<'a>: Sized {
    fn decode(reader: &mut Reader<'a>) -> Option<Self>;
}

/// A value that can be written as Borsh.
pub trait Encode {
    fn encode(&self, writer: &mut Writer) -> Option<()>;
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl Decode<'_> for $integer {
            fn decode(reader: &mut Reader) -> Option<Self> {
                Some(Self::from_le_bytes(reader.read()?))
            }
        }

        impl Encode for $integer {
            fn encode(&self, writer: &mut Writer) -> Option<()> {
                writer.put(&self.to_le_bytes())
            }
        }
    )*};
}

integers! { u8 u16 u32 u64 i64 }

impl Decode<'_> for () {
    fn decode(_: &mut Reader) -> Option<Self> {
        Some(())
    }
}

impl Decode<'_> for bool {
    fn decode(reader: &mut Reader) -> Option<Self> {
        match reader.read::<u8>()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Encode for bool {
    fn encode(&self, writer: &mut Writer) -> Option<()> {
        writer.put(&[u8::from(*self)])
    }
}

impl<const N: usize> Decode<'_> for [u8; N] {
    fn decode(reader: &mut Reader) -> Option<Self> {
        reader.take(N)?.try_into().ok()
    }
}

impl<const N: usize> Encode for [u8; N] {
    fn encode(&self, writer: &mut Writer) -> Option<()> {
        writer.put(self)
    }
}

impl Decode<'_> for Address {
    fn decode(reader: &mut Reader) -> Option<Self> {
        Some(Self::new_from_array(reader.read()?))
    }
}

impl Encode for Address {
    fn encode(&self, writer: &mut Writer) -> Option<()> {
        writer.put(self.as_ref())
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Option<T> {
    fn decode(reader: &mut Reader<'a>) -> Option<Self> {
        match reader.read::<u8>()? {
            0 => Some(None),
            1 => Some(Some(reader.read()?)),
            _ => None,
        }
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, writer: &mut Writer) -> Option<()> {
        match self {
            None => writer.put(&[0]),
            Some(value) => {
                writer.put(&[1])?;
                value.encode(writer)
            }
        }
    }
}

impl<'a> Decode<'a> for &'a str {
    fn decode(reader: &mut Reader<'a>) -> Option<Self> {
        let length = reader.read::<u32>()?;
        core::str::from_utf8(reader.take(length as usize)?).ok()
    }
}

impl Encode for &str {
    fn encode(&self, writer: &mut Writer) -> Option<()> {
        writer.write(&(self.len() as u32))?;
        writer.put(self.as_bytes())
    }
}

impl<'a> Decode<'a> for &'a [[u8; 32]] {
    fn decode(reader: &mut Reader<'a>) -> Option<Self> {
        let count = reader.read::<u32>()? as usize;
        let bytes = reader.take(count << 5)?;
        Some(bytes.as_chunks().0)
    }
}

impl Encode for &[[u8; 32]] {
    fn encode(&self, writer: &mut Writer) -> Option<()> {
        writer.write(&(self.len() as u32))?;
        writer.put(self.as_flattened())
    }
}

/// A string of at most `N` bytes that owns them.
#[derive(Clone, Copy)]
pub struct Text<const N: usize> {
    length: usize,
    bytes: [u8; N],
}

impl<const N: usize> Text<N> {
    /// The text, unless it is longer than `N` bytes.
    pub fn new(text: &str) -> Option<Self> {
        let mut bytes = [0; N];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self { length: text.len(), bytes })
    }

    pub fn as_str(&self) -> &str {
        // SAFETY: the first `length` bytes were copied from a `str`.
        unsafe { core::str::from_utf8_unchecked(&self.bytes[..self.length]) }
    }
}

impl<const N: usize> Decode<'_> for Text<N> {
    fn decode(reader: &mut Reader) -> Option<Self> {
        Self::new(reader.read()?)
    }
}

impl<const N: usize> Encode for Text<N> {
    fn encode(&self, writer: &mut Writer) -> Option<()> {
        self.as_str().encode(writer)
    }
}

/// Declares a struct whose Borsh encoding is its fields in the order given.
#[macro_export]
macro_rules! record {
    ($(#[$meta:meta])* $name:ident { $($fields:tt)* }) => {
        $crate::record!(@define [$(#[$meta])*] ['a] [$name] { $($fields)* });
    };
    ($(#[$meta:meta])* $name:ident<$life:lifetime> { $($fields:tt)* }) => {
        $crate::record!(@define [$(#[$meta])*] [$life] [$name<$life>] { $($fields)* });
    };
    (@define [$($meta:tt)*] [$life:lifetime] [$name:ident $($generics:tt)*] {
        $($(#[$doc:meta])* $field:ident: $type:ty,)*
    }) => {
        $($meta)*
        #[derive(Clone, Copy)]
        pub struct $name $($generics)* {
            $($(#[$doc])* pub $field: $type,)*
        }

        impl<$life> $crate::borsh::Decode<$life> for $name $($generics)* {
            fn decode(reader: &mut $crate::borsh::Reader<$life>) -> Option<Self> {
                Some(Self { $($field: reader.read()?,)* })
            }
        }

        impl<$life> $crate::borsh::Encode for $name $($generics)* {
            fn encode(&self, writer: &mut $crate::borsh::Writer) -> Option<()> {
                $(writer.write(&self.$field)?;)*
                Some(())
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    record! { Sample<'a> { count: u16, name: &'a str, flag: Option<bool>, note: Text<4>, } }

    #[test]
    fn given_a_record_when_written_then_the_same_is_read() {
        let sample = Sample { count: 7, name: "né", flag: Some(true), note: Text::new("abc").unwrap() };
        let mut bytes = [0; 32];
        let mut writer = Writer::new(&mut bytes);
        writer.write(&sample).unwrap();
        let written = writer.written();
        assert_eq!(&bytes[..written], b"\x07\x00\x03\x00\x00\x00n\xc3\xa9\x01\x01\x03\x00\x00\x00abc");
        let back: Sample = Reader::new(&bytes[..written]).read().unwrap();
        assert_eq!((back.count, back.name, back.flag, back.note.as_str()), (7, "né", Some(true), "abc"));
    }

    #[test]
    fn given_too_little_room_when_written_then_nothing_comes_back() {
        assert!(Writer::new(&mut [0; 5]).write(&"ab").is_none());
    }

    #[test]
    fn given_hostile_bytes_when_read_then_nothing_comes_back() {
        assert!(Reader::new(&[2]).read::<bool>().is_none());
        assert!(Reader::new(&[2, 0]).read::<Option<u8>>().is_none());
        assert!(Reader::new(&[1, 0, 0, 0, 0xff]).read::<&str>().is_none());
        assert!(Reader::new(&[0xff; 8]).read::<&str>().is_none());
        assert!(Reader::new(&[0xff; 40]).read::<&[[u8; 32]]>().is_none());
        assert!(Reader::new(b"\x05\x00\x00\x00abcde").read::<Text<4>>().is_none());
    }
}
