//! A click as bytes between a worker and the writer: written once by the worker, read once.
//!
//! Only memory of this process ever holds this format, so it has no version. Integers are
//! little-endian:
//!
//! ```text
//! click := at:i64 link:u64 workspace:u64 address:16 salt+flags:u32 country:2
//!          agent:u16 referrer:u16 language:u16 rule:u16 and these four texts
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use waypost_link::{Click, ClickId, LinkId, Timestamp, WorkspaceId};

use crate::limits;

const HEAD: usize = 54;
const SALT: u32 = ClickId::SALTS - 1;
const SPENT: u32 = 1 << 17;
const V6: u32 = 1 << 18;

/// A buffer of clicks. It is in one place at a time: with a worker, in a queue, with the writer.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Box<[u8]>,
    len: usize,
    clicks: usize,
}

impl Buffer {
    pub(crate) fn new() -> Box<Self> {
        let bytes = vec![0; limits::BUFFER].into_boxed_slice();
        Box::new(Self { bytes, len: 0, clicks: 0 })
    }

    pub(crate) fn clicks(&self) -> usize {
        self.clicks
    }

    /// Whether the longest click might not fit any more.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.len > limits::BUFFER - limits::CLICK
    }

    pub(crate) fn clear(&mut self) {
        (self.len, self.clicks) = (0, 0);
    }

    /// Adds a click, its texts cut to the limits. The buffer must not be full.
    #[inline]
    pub(crate) fn push(&mut self, click: &Click<'_>) {
        let agent = cut(click.user_agent, limits::USER_AGENT);
        let referrer = cut(click.referrer, limits::REFERRER);
        let language = cut(click.language, limits::LANGUAGE);
        let rule = cut(click.rule.as_bytes(), limits::RULE);
        let Some(room) = self.bytes.get_mut(self.len..) else { return };
        let Some((head, mut rest)) = room.split_first_chunk_mut() else { return };
        *head = pack(click, [agent, referrer, language, rule].map(|text| text.len() as u16));
        let mut added = HEAD;
        for text in [agent, referrer, language, rule] {
            let Some((to, after)) = rest.split_at_mut_checked(text.len()) else { return };
            to.copy_from_slice(text);
            (rest, added) = (after, added + text.len());
        }
        self.len += added;
        self.clicks += 1;
    }

    /// Its clicks, in the order they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Click<'_>> {
        let mut rest = self.bytes.get(..self.len).unwrap_or_default();
        std::iter::from_fn(move || unpack(&mut rest))
    }
}

#[inline]
fn cut(text: &[u8], most: usize) -> &[u8] {
    text.get(..most).unwrap_or(text)
}

#[inline]
fn pack(click: &Click<'_>, lengths: [u16; 4]) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[0..8].copy_from_slice(&click.at.0.to_le_bytes());
    head[8..16].copy_from_slice(&click.link.0.to_le_bytes());
    head[16..24].copy_from_slice(&click.workspace.0.to_le_bytes());
    let mut flags = (click.salt & SALT) | if click.spent { SPENT } else { 0 };
    match click.ip {
        IpAddr::V4(ip) => head[24..28].copy_from_slice(&ip.octets()),
        IpAddr::V6(ip) => {
            flags |= V6;
            head[24..40].copy_from_slice(&ip.octets());
        }
    }
    head[40..44].copy_from_slice(&flags.to_le_bytes());
    head[44..46].copy_from_slice(&click.country.unwrap_or_default());
    for (to, length) in head[46..].chunks_exact_mut(2).zip(lengths) {
        to.copy_from_slice(&length.to_le_bytes());
    }
    head
}

#[inline]
fn unpack<'b>(bytes: &mut &'b [u8]) -> Option<Click<'b>> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
    *bytes = rest;
    let mut head = &head[..];
    let at = i64::from_le_bytes(array(&mut head)?);
    let link = u64::from_le_bytes(array(&mut head)?);
    let workspace = u64::from_le_bytes(array(&mut head)?);
    let address: [u8; 16] = array(&mut head)?;
    let flags = u32::from_le_bytes(array(&mut head)?);
    let country: [u8; 2] = array(&mut head)?;
    let mut lengths = [0; 4];
    for length in &mut lengths {
        *length = usize::from(u16::from_le_bytes(array(&mut head)?));
    }
    let [user_agent, referrer, language, rule] = texts(bytes, lengths)?;
    let [a, b, c, d, ..] = address;
    Some(Click {
        link: LinkId(link),
        workspace: WorkspaceId(workspace),
        at: Timestamp(at),
        salt: flags & SALT,
        ip: if flags & V6 == 0 {
            Ipv4Addr::new(a, b, c, d).into()
        } else {
            Ipv6Addr::from(address).into()
        },
        country: (country != [0; 2]).then_some(country),
        spent: flags & SPENT != 0,
        user_agent,
        referrer,
        language,
        rule: if rule.is_empty() { "" } else { text(rule) },
    })
}

/// What a cut, which may have gone through a character, left of a text.
fn text(bytes: &[u8]) -> &str {
    bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}

#[inline]
fn array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = bytes.split_first_chunk()?;
    *bytes = tail;
    Some(*head)
}

#[inline]
fn texts<'b>(bytes: &mut &'b [u8], lengths: [usize; 4]) -> Option<[&'b [u8]; 4]> {
    let mut texts = [&[][..]; 4];
    for (text, length) in texts.iter_mut().zip(lengths) {
        (*text, *bytes) = bytes.split_at_checked(length)?;
    }
    Some(texts)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out(
            numbers in any::<(u64, u64, i64, u32, u128, bool, bool)>(),
            country in proptest::option::of(any::<[u8; 2]>().prop_filter("known", |c| *c != [0; 2])),
            texts in [vec(any::<u8>(), 0..700), vec(any::<u8>(), 0..400), vec(any::<u8>(), 0..99)],
            rule in "[a-z]{0,64}",
            times in 1_usize..20,
        ) {
            let (link, workspace, at, salt, ip, v6, spent) = numbers;
            let click = Click {
                link: LinkId(link),
                workspace: WorkspaceId(workspace),
                at: Timestamp(at),
                salt: salt & SALT,
                ip: if v6 { Ipv6Addr::from(ip).into() } else { Ipv4Addr::from(ip as u32).into() },
                country,
                spent,
                user_agent: &texts[0],
                referrer: &texts[1],
                language: &texts[2],
                rule: &rule,
            };
            let mut buffer = Buffer::new();
            (0..times).for_each(|_| buffer.push(&click));
            let read: Vec<_> = buffer.iter().collect();
            prop_assert_eq!(read.len(), times);
            prop_assert_eq!(buffer.clicks(), times);
            let cut = Click {
                user_agent: &texts[0][..texts[0].len().min(limits::USER_AGENT)],
                referrer: &texts[1][..texts[1].len().min(limits::REFERRER)],
                language: &texts[2][..texts[2].len().min(limits::LANGUAGE)],
                ..click
            };
            prop_assert!(read.iter().all(|click| *click == cut));
        }
    }

    #[test]
    fn a_buffer_takes_the_longest_clicks_until_it_says_full() {
        let long = [b'x'; 4_096];
        let rule = "r".repeat(4_096);
        let click = Click {
            link: LinkId(u64::MAX),
            workspace: WorkspaceId(u64::MAX),
            at: Timestamp(i64::MAX),
            salt: SALT,
            ip: Ipv6Addr::LOCALHOST.into(),
            country: Some(*b"DE"),
            spent: true,
            user_agent: &long,
            referrer: &long,
            language: &long,
            rule: &rule,
        };
        let mut buffer = Buffer::new();
        let mut pushed = 0;
        while !buffer.is_full() {
            buffer.push(&click);
            pushed += 1;
        }
        assert_eq!((buffer.clicks(), buffer.iter().count()), (pushed, pushed));
        buffer.clear();
        assert_eq!((buffer.clicks(), buffer.iter().count(), buffer.is_full()), (0, 0, false));
    }
}
