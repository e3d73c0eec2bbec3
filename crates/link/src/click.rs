//! A click: one redirect, as the redirect path saw it.

use std::net::IpAddr;

use crate::{LinkId, Timestamp, WorkspaceId};

/// Names one click: when it was received, of which link, and a salt that tells clicks of the
/// same link and microsecond apart. 122 bits, so it fits a UUID and needs no index of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClickId {
    /// When it was received.
    pub received: Timestamp,
    /// The link.
    pub link: LinkId,
    /// 17 bits.
    pub salt: u32,
}

impl ClickId {
    /// Salts are below this.
    pub const SALTS: u32 = 1 << 17;

    /// As a UUID of version 8 (RFC 9562, 5.8): 52 bits of microseconds, 53 of link, 17 of salt,
    /// written around the version and variant bits.
    ///
    /// ```
    /// use waypost_link::*;
    /// let id = ClickId { received: Timestamp(1_800_000_000_000_000), link: LinkId(42), salt: 7 };
    /// assert_eq!(ClickId::from_uuid(id.to_uuid()), Some(id));
    /// assert_eq!((id.to_uuid() >> 76) & 15, 8);
    /// ```
    pub const fn to_uuid(self) -> u128 {
        let micros = (self.received.0 as u128) & ((1 << 52) - 1);
        let link = (self.link.0 as u128) & ((1 << 53) - 1);
        let packed = (micros << 70) | (link << 17) | (self.salt % Self::SALTS) as u128;
        let (high, middle, low) =
            (packed >> 74, (packed >> 62) & ((1 << 12) - 1), packed & ((1 << 62) - 1));
        (high << 80) | (8 << 76) | (middle << 64) | (2 << 62) | low
    }

    /// The click of this UUID; `None` where no click can have it.
    pub const fn from_uuid(uuid: u128) -> Option<Self> {
        if (uuid >> 76) & 15 != 8 || (uuid >> 62) & 3 != 2 {
            return None;
        }
        let packed = ((uuid >> 80) << 74)
            | (((uuid >> 64) & ((1 << 12) - 1)) << 62)
            | (uuid & ((1 << 62) - 1));
        Some(Self {
            received: Timestamp((packed >> 70) as i64),
            link: LinkId(((packed >> 17) & ((1 << 53) - 1)) as u64),
            salt: (packed & (Self::SALTS as u128 - 1)) as u32,
        })
    }
}

/// How much of a visitor's address is kept (`click_ip`, SPEC 10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IpPolicy {
    /// Whole.
    #[default]
    Full,
    /// The first 24 bits of an IPv4 address, 48 of an IPv6 address.
    Truncate,
    /// Hashed with a daily salt.
    Hash,
    /// Not at all.
    Nothing,
}

/// A click on its way from the redirect path to the writer: borrowed, whole, not yet looked into.
///
/// Header values are as sent; whoever copies a click cuts them to its own limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Click<'a> {
    /// The link that answered.
    pub link: LinkId,
    /// Its owner.
    pub workspace: WorkspaceId,
    /// When it was received.
    pub at: Timestamp,
    /// See [`ClickId`].
    pub salt: u32,
    /// The visitor's address.
    pub ip: IpAddr,
    /// ISO 3166-1 alpha-2 in capitals, where known.
    pub country: Option<[u8; 2]>,
    /// Whether it counts towards the link's click limit: every redirect does, also while there is
    /// none, so that a limit set later counts what came before it.
    pub spent: bool,
    /// `User-Agent`.
    pub user_agent: &'a [u8],
    /// `Referer`.
    pub referrer: &'a [u8],
    /// `Accept-Language`.
    pub language: &'a [u8],
    /// The id of the rule that chose the destination; empty for the link's own.
    pub rule: &'a str,
}

impl Click<'_> {
    /// What names it.
    pub const fn id(&self) -> ClickId {
        ClickId { received: self.at, link: self.link, salt: self.salt }
    }
}
