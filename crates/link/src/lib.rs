//! Domain values and pure rules: what a link, a click and a change *are*.
//!
//! Everything here is parsed once and legal from then on: a [`Slug`] in hand is a slug that may
//! be stored, a [`Destination`] one that may be redirected to. The crate does no I/O, reads no
//! clock, starts no thread and knows no wire format: stores and dialects bring their own.
#![forbid(unsafe_code)]

mod change;
mod click;
mod destination;
mod fleet;
mod hostname;
mod id;
pub mod limits;
mod link;
mod record;
mod rule;
mod slug;
mod time;

pub use change::{Change, Claim, Remembered};
pub use click::{Click, ClickId, IpPolicy};
pub use destination::{Destination, DestinationError, Schemes};
pub use fleet::{Lease, News, Node};
pub use hostname::{Hostname, HostnameError};
pub use id::{
    AlertId, CollectionId, DomainId, KeyId, LeaseId, LinkId, NodeId, PixelId, Revision, SettingId,
    TagId, WorkspaceId,
};
pub use link::{Attributes, Flags, Link, Name, Placement, Script, Status, Utm};
pub use record::{
    Alert, AmazonTag, Collection, Domain, DomainStatus, Key, Noun, Permissions, Pixel, Provider,
    Record, Role, Setting, Workspace,
};
pub use rule::{Condition, Rule, RuleError, Visitor, check_shares, percentile};
pub use slug::{RESERVED, Slug, SlugError};
pub use time::{Timestamp, Zone};
