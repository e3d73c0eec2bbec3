//! Identifiers: one newtype an object, so that a link's id can't be passed for a workspace's.

use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl $name {
            /// Not assigned yet: the store assigns ids in `commit`, counting up from 1.
            pub const UNASSIGNED: Self = Self(0);
            /// The largest id: below 2^53, so that every JSON reader keeps it whole.
            pub const MAX: Self = Self((1 << 53) - 1);

            /// Whether the store has yet to assign this id.
            pub const fn is_unassigned(self) -> bool {
                self.0 == 0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// A link. Never reused.
    LinkId
    /// A workspace: the tenant.
    WorkspaceId
    /// A custom hostname; [`DomainId::DEFAULT`] stands for the server's own hostnames.
    DomainId
    /// A collection of links.
    CollectionId
    /// An API key.
    KeyId
    /// An Amazon affiliate tag.
    TagId
    /// A tracking pixel.
    PixelId
    /// A redirect node of a fleet.
    NodeId
    /// A node's share of a link's click limit.
    LeaseId
    /// An email that a link's click count asked for.
    AlertId
    /// A store-wide setting or secret.
    SettingId
    /// The number of a commit: every commit raises it by one.
    Revision
}

impl DomainId {
    /// The default domain: what `public_url`, IP literals, `localhost` and `extra_hosts` see.
    pub const DEFAULT: Self = Self(0);
}
