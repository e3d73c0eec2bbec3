//! From a host and a code to a link (SPEC 3.1): which domain a host stands for, and what a rotator picks.

use waypost_index::{Entry, Host, Rotation};
use waypost_link::{DomainId, DomainStatus, Hostname, Timestamp, WorkspaceId};

use crate::{Engine, follow::is_open, limits};

/// What a host shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// The default domain, of all workspaces.
    Default,
    /// A workspace's own hostname: its codes, then the workspace's codes of the default domain.
    Custom { domain: DomainId, workspace: WorkspaceId },
}

impl Engine {
    /// What `host` (as sent) shows; `None` where it is not registered.
    #[inline]
    pub(crate) fn site(&self, host: &[u8]) -> Option<Site> {
        if self.settings.is_usual(host) {
            return Some(Site::Default);
        }
        self.unusual_site(host)
    }

    fn unusual_site(&self, host: &[u8]) -> Option<Site> {
        let stranger = if self.settings.strict_hosts { None } else { Some(Site::Default) };
        let name = match Hostname::normalise(host) {
            Ok(name) => name,
            // HTTP/1.0 may leave the host out.
            Err(_) if host.is_empty() => return Some(Site::Default),
            Err(_) => return stranger,
        };
        if self.settings.owns(&name) {
            return Some(Site::Default);
        }
        match self.index.with_directory(|directory| directory.host(&name)) {
            Some(Host { domain, workspace, status: DomainStatus::Active }) => {
                Some(Site::Custom { domain, workspace })
            }
            Some(_) => None,
            None => stranger,
        }
    }

    /// The domain that `token` proves on `host` (as sent); `None` where it proves none.
    pub fn proven(&self, host: &[u8], token: &str) -> Option<DomainId> {
        let name = Hostname::normalise(host).ok()?;
        self.index.with_directory(|directory| directory.proven(&name, token))
    }

    /// What `read` makes of the link of `code` on `site`; `None` where there is none.
    #[inline]
    pub(crate) fn resolve<R>(
        &self,
        site: Site,
        code: &str,
        mut read: impl FnMut(Entry<'_>) -> R,
    ) -> Option<R> {
        let Site::Custom { domain, workspace } = site else {
            return self.index.with(DomainId::DEFAULT, code, read);
        };
        let own = self.index.with(domain, code, &mut read);
        let shared = |entry: Entry<'_>| (entry.workspace == workspace).then(|| read(entry));
        own.or_else(|| self.index.with(DomainId::DEFAULT, code, shared).flatten())
    }

    /// What `read` makes of a member of the rotator `alias`, picked at random among the open ones.
    ///
    /// The index keeps members that are active and not archived. One that is closed for another reason is passed
    /// over by drawing again, so that the others stay equally likely; only where most are closed are they tried in
    /// turn.
    pub(crate) fn rotate<R>(
        &self,
        site: Site,
        alias: &str,
        at: Timestamp,
        mut read: impl FnMut(Entry<'_>) -> R,
    ) -> Option<R> {
        let rotation = self.index.with_directory(|directory| directory.rotator(alias).cloned())?;
        let mut try_member = |random| {
            let name = rotation.pick(random)?;
            let open = |entry: Entry<'_>| {
                (site.shows(entry.workspace) && is_open(&entry, at)).then(|| read(entry))
            };
            self.index.with(name.domain, name.slug.as_str(), open).flatten()
        };
        let drawn = (0..limits::ROTATOR_PICKS).find_map(|_| try_member(self.draw()));
        drawn.or_else(|| in_turn(&rotation, self.draw()).find_map(try_member))
    }
}

impl Site {
    /// Where its codes are looked up first.
    pub(crate) fn domain(self) -> DomainId {
        match self {
            Self::Default => DomainId::DEFAULT,
            Self::Custom { domain, .. } => domain,
        }
    }

    /// Whether links of `workspace` may be seen here.
    fn shows(self, workspace: WorkspaceId) -> bool {
        match self {
            Self::Default => true,
            Self::Custom { workspace: owner, .. } => owner == workspace,
        }
    }
}

/// Numbers that make `rotation` pick its members in turn, from a random one on.
fn in_turn(rotation: &Rotation, random: u64) -> impl Iterator<Item = u64> + use<> {
    let stride = (u64::MAX / rotation.len().max(1) as u64).wrapping_add(1);
    (0..rotation.len().min(limits::ROTATOR_SCAN) as u64)
        .map(move |step| random.wrapping_add(step.wrapping_mul(stride)))
}
