//! Ids in disguise: how dialects spell an object's id, derivable both ways, so that none needs an index of
//! its own (SPEC 1).
//!
//! A spelling carries the time of creation too. One whose time isn't that of the object names nothing.

use uuid::Uuid;
use waypost_link::{DomainId, Link, LinkId, Timestamp, Workspace};
use waypost_service::Fault;

use super::{Call, Fail};

/// Bits of an id: SPEC 1 keeps them below 2^53.
const ID_BITS: u64 = (1 << 53) - 1;
/// Hex digits of the second in a [`HEX`] spelling.
const SECOND: usize = 8;

/// A way to write an id and the time of its object's creation.
#[derive(Clone, Copy, Debug)]
pub struct Spelling {
    write: fn(Timestamp, u64) -> String,
    read: fn(&str) -> Option<u64>,
}

/// linkpack's: a UUID of version 7 (RFC 9562, 5.7), its random part the id.
pub const UUID: Spelling = Spelling { write: write_uuid, read: read_uuid };

/// workspace's: 24 hex digits, the second of creation and the id.
pub const HEX: Spelling = Spelling { write: write_hex, read: read_hex };

impl Spelling {
    /// How an object is called.
    pub fn write(&self, created_at: Timestamp, id: u64) -> String {
        (self.write)(created_at, id)
    }

    /// The id that `text` may stand for; the object says whether [it does](Self::is).
    pub fn read(&self, text: &str) -> Option<u64> {
        (self.read)(text)
    }

    /// Whether `text` names this object.
    pub fn is(&self, text: &str, created_at: Timestamp, id: u64) -> bool {
        self.write(created_at, id).eq_ignore_ascii_case(text)
    }

    /// How a link is called.
    pub fn link(&self, link: &Link) -> String {
        self.write(link.created_at, link.id.0)
    }

    /// How a workspace is called.
    pub fn workspace(&self, workspace: &Workspace) -> String {
        self.write(workspace.created_at, workspace.id.0)
    }
}

impl Call {
    /// The caller's link that `text` names.
    ///
    /// # Errors
    /// [`Fail::NotFound`], also for somebody else's.
    pub fn link_called(&self, spelling: Spelling, text: &str) -> Result<Link, Fail> {
        let lost = || Fail::NotFound(Some(text.to_owned()));
        let id = spelling.read(text).ok_or_else(lost)?;
        let link = self.link_of(id)?;
        link.filter(|link| spelling.is(text, link.created_at, link.id.0)).ok_or_else(lost)
    }

    /// The caller's link that an earlier request with the same `Idempotency-Key` made.
    ///
    /// # Errors
    /// [`Fail::NotFound`] where it is gone.
    pub fn link_made(&self, ids: &[u64]) -> Result<Link, Fail> {
        self.link_of(ids.first().copied().unwrap_or_default())?.ok_or(Fail::NotFound(None))
    }

    /// The caller's links that such a request made, those that are still there.
    ///
    /// # Errors
    /// [`Fail::Unavailable`] and [`Fail::Internal`], as the store says.
    pub fn links_made(&self, ids: &[u64]) -> Result<Vec<Link>, Fail> {
        ids.iter().filter_map(|id| self.link_of(*id).transpose()).collect()
    }

    /// The domain of the caller's workspace, or of the server, with this hostname; the default one where
    /// none is said.
    ///
    /// # Errors
    /// [`Fail::Invalid`] (`domain`) where there is none.
    pub fn domain_called(&self, host: Option<&str>) -> Result<DomainId, Fail> {
        let Some(host) = host else { return Ok(DomainId::DEFAULT) };
        match self.service().domain_for(self.principal()?.workspace, host) {
            Ok(domain) => Ok(domain.map_or(DomainId::DEFAULT, |domain| domain.id)),
            Err(Fault::NotFound(_)) => {
                Err(Fail::invalid("domain", "expected a domain of the workspace"))
            }
            Err(fault) => Err(fault.into()),
        }
    }

    fn link_of(&self, id: u64) -> Result<Option<Link>, Fail> {
        let workspace = self.principal()?.workspace;
        let link = self.service().store().link(LinkId(id)).map_err(Fault::from)?;
        Ok(link.filter(|link| link.workspace == workspace))
    }
}

fn write_uuid(created_at: Timestamp, id: u64) -> String {
    let millis = u64::try_from(created_at.0.div_euclid(1_000)).unwrap_or_default();
    let high = millis << 16 | 0x7000;
    Uuid::from_u64_pair(high, 1 << 63 | id & ID_BITS).to_string()
}

fn read_uuid(text: &str) -> Option<u64> {
    let uuid = Uuid::try_parse(text).ok().filter(|_| text.len() == 36)?;
    Some(uuid.as_u64_pair().1 & ID_BITS)
}

fn write_hex(created_at: Timestamp, id: u64) -> String {
    let second = u32::try_from(created_at.seconds()).unwrap_or_default();
    format!("{second:08x}{id:016x}")
}

fn read_hex(text: &str) -> Option<u64> {
    let digits = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(text.get(SECOND..).filter(|_| digits)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        let at = Timestamp(1_733_047_200_123_456);
        for (spelling, id, expected) in [
            (UUID, 1, "019381a9-a97b-7000-8000-000000000001"),
            (UUID, ID_BITS, "019381a9-a97b-7000-801f-ffffffffffff"),
            (HEX, 26, "674c33a0000000000000001a"),
        ] {
            assert_eq!(spelling.write(at, id), expected);
            assert_eq!(spelling.read(expected), Some(id));
            assert!(spelling.is(&expected.to_uppercase(), at, id));
            assert!(!spelling.is(expected, at.plus(Timestamp::SECOND), id));
            assert!(!spelling.is(expected, at, id - 1));
        }
    }

    #[test]
    fn what_is_no_id() {
        for text in
            ["", "1", "019380d7b4fb70008000000000000001", "019381a9-a97b-7000-8000-00000000000g"]
        {
            assert_eq!(UUID.read(text), None, "{text}");
        }
        for text in [
            "",
            "1",
            "674c33a0000000000000001",
            "674c33a0000000000000001g",
            "+74c33a0000000000000001a",
        ] {
            assert_eq!(HEX.read(text), None, "{text}");
        }
        // Another version, or other random bits, is another object's.
        assert!(!UUID.is(
            "019380d7-b4fb-4000-8000-000000000001",
            Timestamp(1_733_047_200_123_000),
            1
        ));
    }
}
