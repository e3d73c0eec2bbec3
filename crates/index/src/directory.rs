//! The small nouns that redirects need, as one immutable value.
//!
//! It is built anew from the kept records whenever a commit changed one: O(records of the kinds
//! below) a commit, not a change; with 10,000 domains about a millisecond. Readers borrow it whole,
//! so that a hostname, its workspace and that workspace's pixels always belong together.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use ahash::RandomState;
use waypost_link::{AmazonTag, DomainId, DomainStatus, Noun, Pixel, Record, WorkspaceId};

use crate::{Rotation, members::Members};

/// The setting that names a workspace's time zone, such as `Europe/Berlin`.
const TIMEZONE: &str = "timezone";
/// The setting that keeps bots out of a workspace's statistics.
const EXCLUDE_BOTS: &str = "exclude_bots";

/// Hostnames, rotators and what redirects need to know of workspaces.
#[derive(Debug, Default)]
pub struct Directory {
    hosts: HashMap<Box<str>, Host, RandomState>,
    /// What proves each hostname that isn't given up.
    tokens: HashMap<Box<str>, Box<str>, RandomState>,
    rotators: HashMap<Box<str>, Arc<Rotation>, RandomState>,
    tenants: HashMap<WorkspaceId, Tenant, RandomState>,
}

/// A hostname that is registered, whether it resolves or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// The domain.
    pub domain: DomainId,
    /// Its owner.
    pub workspace: WorkspaceId,
    /// Only an active one resolves; any other is 404 (SPEC 3.1).
    pub status: DomainStatus,
}

/// What redirects need to know of a workspace.
#[derive(Debug, Default)]
pub struct Tenant {
    /// Its settings, as they were typed.
    pub settings: BTreeMap<String, String>,
    /// Its active pixels, oldest first.
    pub pixels: Vec<Pixel>,
    /// Its active Amazon tags, oldest first.
    pub tags: Vec<AmazonTag>,
}

impl Tenant {
    /// The IANA name of its time zone; UTC where none is set.
    pub fn timezone(&self) -> &str {
        self.settings.get(TIMEZONE).map_or("UTC", String::as_str)
    }

    /// Whether known crawlers are recorded but not counted.
    pub fn excludes_bots(&self) -> bool {
        self.settings.get(EXCLUDE_BOTS).is_some_and(|value| matches!(value.as_str(), "true" | "1"))
    }
}

impl Directory {
    /// What `hostname` (in the form of `Hostname`) is registered as.
    pub fn host(&self, hostname: &str) -> Option<Host> {
        self.hosts.get(hostname).copied()
    }

    /// The domain that `token` proves on `hostname`, active or not.
    pub fn proven(&self, hostname: &str, token: &str) -> Option<DomainId> {
        let known = self.tokens.get(hostname).is_some_and(|known| **known == *token);
        known.then(|| self.host(hostname)).flatten().map(|host| host.domain)
    }

    /// The rotation behind `/c/{alias}`, where it is switched on.
    pub fn rotator(&self, alias: &str) -> Option<&Arc<Rotation>> {
        self.rotators.get(alias)
    }

    /// The workspace, if it exists.
    pub fn tenant(&self, workspace: WorkspaceId) -> Option<&Tenant> {
        self.tenants.get(&workspace)
    }

    pub(crate) fn build(records: &BTreeMap<(Noun, u64), Record>, members: &mut Members) -> Self {
        let mut directory = Self::default();
        for record in records.values() {
            directory.add(record, members);
        }
        directory
    }

    /// Whether a directory has a use for this kind of record.
    pub(crate) fn holds(noun: Noun) -> bool {
        matches!(noun, Noun::Workspace | Noun::Domain | Noun::Collection | Noun::Tag | Noun::Pixel)
    }

    fn add(&mut self, record: &Record, members: &mut Members) {
        match record {
            Record::Workspace(workspace) => {
                self.tenants.entry(workspace.id).or_default().settings = workspace.settings.clone();
            }
            Record::Domain(domain) => {
                let (workspace, status) = (domain.workspace, domain.status);
                let host = Host { domain: domain.id, workspace, status };
                self.add_host(domain.hostname.as_str(), host);
                if status != DomainStatus::Removed && !domain.token.is_empty() {
                    let (name, token) = (domain.hostname.as_str(), domain.token.as_str());
                    self.tokens.insert(name.into(), token.into());
                }
            }
            Record::Collection(collection) => {
                let alias = collection.alias.as_ref().filter(|_| collection.rotator_enabled);
                if let Some(alias) = alias {
                    let rotation = members.rotation(collection.id);
                    self.rotators.insert(alias.as_str().into(), rotation);
                }
            }
            Record::Tag(tag) if tag.active => {
                self.tenants.entry(tag.workspace).or_default().tags.push(tag.clone());
            }
            Record::Pixel(pixel) if pixel.active => {
                self.tenants.entry(pixel.workspace).or_default().pixels.push(pixel.clone());
            }
            _ => {}
        }
    }

    /// A removed hostname stays known, but whoever claims it again has it.
    fn add_host(&mut self, hostname: &str, host: Host) {
        let known = self.hosts.get(hostname);
        let taken = known.is_some_and(|known| known.status != DomainStatus::Removed);
        if !(taken && host.status == DomainStatus::Removed) {
            self.hosts.insert(hostname.into(), host);
        }
    }
}
