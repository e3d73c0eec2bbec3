//! Header fields that are looked up by an index instead of by name.
//!
//! While a head is checked, every field's name is looked at once anyway; noting where
//! the well-known ones stand costs a compare and saves handlers a search each.

macro_rules! fields {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// A well-known request header field: [`Head::field`](crate::Head::field) finds it without a search.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Field { $(#[doc = concat!("`", $name, "`")] $variant),+ }

        impl Field {
            /// All of them.
            pub const ALL: [Self; fields!(@count $($variant)+)] = [$(Self::$variant),+];

            /// Its name in lower case.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
    (@count $($variant:ident)+) => { [$(fields!(@one $variant)),+].len() };
    (@one $variant:ident) => { () };
}

fields! {
    Accept = "accept",
    AcceptEncoding = "accept-encoding",
    AcceptLanguage = "accept-language",
    Authorization = "authorization",
    CfIpCountry = "cf-ipcountry",
    Connection = "connection",
    ContentLength = "content-length",
    ContentType = "content-type",
    Cookie = "cookie",
    Expect = "expect",
    Host = "host",
    IdempotencyKey = "idempotency-key",
    IfModifiedSince = "if-modified-since",
    IfNoneMatch = "if-none-match",
    Origin = "origin",
    Purpose = "purpose",
    Referer = "referer",
    SecPurpose = "sec-purpose",
    TransferEncoding = "transfer-encoding",
    UserAgent = "user-agent",
    XForwardedFor = "x-forwarded-for",
    XForwardedProto = "x-forwarded-proto",
    XMoz = "x-moz",
    XRealIp = "x-real-ip",
}

impl Field {
    /// The well-known field of this name, whatever its case. A table gives the one candidate, so that a head costs one
    /// comparison a field.
    #[inline]
    #[must_use]
    pub fn of(name: &[u8]) -> Option<Self> {
        let field = (*CANDIDATES.get(slot(name)?)?)?;
        let known = field.name().as_bytes();
        (known.len() == name.len() && is_name(name, known)).then_some(field)
    }
}

const SLOTS: usize = 64;

/// Where the field of a name stands in [`CANDIDATES`], if it is a known one: its length, its first and its last byte tell
/// all of them apart. `None` for no name.
#[inline]
const fn slot(name: &[u8]) -> Option<usize> {
    match name {
        [first, .., last] => {
            let (first, last) = ((*first | 0x20) as usize, (*last | 0x20) as usize);
            Some((name.len() + first * 6 + last * 11) % SLOTS)
        }
        _ => None,
    }
}

/// Every field in its slot. That no two share one is checked when this is compiled.
const CANDIDATES: [Option<Field>; SLOTS] = {
    let mut table = [None; SLOTS];
    let mut at = 0;
    while at < Field::ALL.len() {
        let field = Field::ALL[at];
        let Some(slot) = slot(field.name().as_bytes()) else { panic!("a name too short") };
        assert!(table[slot].is_none(), "two fields in one slot: choose other factors");
        table[slot] = Some(field);
        at += 1;
    }
    table
};

/// Whether a field name, which is a token of the length of `known`, is `known` but for its case.
///
/// Setting bit 5 makes letters lower case and leaves digits and `-`; what else it would turn into one of these is a control
/// character, which no token has. So eight bytes are compared at once.
#[inline]
fn is_name(name: &[u8], known: &[u8]) -> bool {
    const BIT: u64 = 0x2020_2020_2020_2020;
    let differ = |name: &[u8; 8], known: &[u8; 8]| {
        (u64::from_le_bytes(*name) | BIT) ^ u64::from_le_bytes(*known)
    };
    match (name.first_chunk(), known.first_chunk(), name.last_chunk(), known.last_chunk()) {
        (Some(first), Some(known_first), Some(last), Some(known_last)) => {
            let middle = name.len() <= 16 || (name[8] | 0x20) == known[8];
            middle && differ(first, known_first) | differ(last, known_last) == 0
        }
        _ => name.iter().zip(known).all(|(byte, known)| byte | 0x20 == *known),
    }
}

/// Where the first field of each well-known name stands in a head; 0 is absent, else the place plus one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places([u8; Field::ALL.len()]);

impl Places {
    pub(crate) fn new() -> Self {
        Self([0; Field::ALL.len()])
    }

    /// Notes a field and says whether it is the first of its name.
    #[inline]
    pub(crate) fn note(&mut self, field: Field, place: usize) -> bool {
        let slot = &mut self.0[field as usize];
        let first = *slot == 0;
        if first {
            *slot = u8::try_from(place + 1).unwrap_or(u8::MAX);
        }
        first
    }

    #[inline]
    pub(crate) fn get(&self, field: Field) -> Option<usize> {
        usize::from(self.0[field as usize]).checked_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_by_its_name_in_any_case() {
        for field in Field::ALL {
            assert_eq!(Field::of(field.name().as_bytes()), Some(field));
            assert_eq!(Field::of(field.name().to_ascii_uppercase().as_bytes()), Some(field));
        }
        assert_eq!(Field::of(b"hosx"), None);
        assert_eq!(Field::of(b""), None);
    }

    #[test]
    fn a_name_with_another_byte_is_another_name() {
        let token = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
        for field in Field::ALL {
            for place in 0..field.name().len() {
                let mut name = field.name().as_bytes().to_vec();
                for byte in (0..=255).filter(token) {
                    name[place] = byte;
                    let same = byte.eq_ignore_ascii_case(&field.name().as_bytes()[place]);
                    assert_eq!(Field::of(&name) == Some(field), same, "{}", name.escape_ascii());
                }
            }
        }
    }
}
