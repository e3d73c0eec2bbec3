//! The small nouns and remembered answers as bytes. Ids are in keys, so they are not in here.

use waypost_link::{
    Alert, AlertId, AmazonTag, Collection, CollectionId, Domain, DomainId, DomainStatus, Hostname,
    Key, KeyId, Lease, LeaseId, LinkId, News, Node, NodeId, Noun, Permissions, Pixel, PixelId,
    Provider, Record, Remembered, Role, Setting, SettingId, TagId, Workspace, WorkspaceId,
};

use super::{Fields, Put, optional};

/// The format byte of records and remembered answers.
const FORMAT: u8 = 1;

const STATUSES: [DomainStatus; 5] = [
    DomainStatus::Pending,
    DomainStatus::Active,
    DomainStatus::Failed,
    DomainStatus::Blocked,
    DomainStatus::Removed,
];

/// `record` as it is.
pub fn record_bytes(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(96);
    bytes.u8(FORMAT);
    put_record(&mut bytes, record);
    bytes
}

fn put_record(out: &mut Vec<u8>, record: &Record) {
    match record {
        Record::Workspace(workspace) => put_workspace(out, workspace),
        Record::Key(key) => put_key(out, key),
        Record::Domain(domain) => put_domain(out, domain),
        Record::Collection(collection) => put_collection(out, collection),
        Record::Tag(tag) => put_tag(out, tag),
        Record::Pixel(pixel) => put_pixel(out, pixel),
        Record::Alert(alert) => put_alert(out, alert),
        Record::Node(node) => {
            out.text(&node.name);
            out.text(&node.version);
            out.uint(node.applied);
            out.time(node.seen_at);
        }
        Record::Lease(lease) => {
            out.uint(lease.link.0);
            out.uint(lease.node.0);
            out.uint(lease.since);
            out.uint(lease.granted);
            out.uint(lease.counted);
            out.uint(lease.version);
            match lease.news {
                None => out.u8(0),
                Some(News::Returned) => out.u8(1),
                Some(News::Wanted { by }) => {
                    out.u8(2);
                    out.uint(by.0);
                }
            }
        }
        Record::Setting(setting) => {
            out.text(&setting.name);
            out.bytes(&setting.value);
        }
    }
}

/// The record of this kind and `id` that these bytes hold.
pub fn read_record(noun: Noun, id: u64, bytes: &[u8]) -> Option<Record> {
    let mut fields = Fields(bytes);
    let f = &mut fields;
    if f.u8()? != FORMAT {
        return None;
    }
    let record = match noun {
        Noun::Workspace => Record::Workspace(read_workspace(WorkspaceId(id), f)?),
        Noun::Key => Record::Key(read_key(KeyId(id), f)?),
        Noun::Domain => Record::Domain(read_domain(DomainId(id), f)?),
        Noun::Collection => Record::Collection(read_collection(CollectionId(id), f)?),
        Noun::Tag => Record::Tag(read_tag(TagId(id), f)?),
        Noun::Pixel => Record::Pixel(read_pixel(PixelId(id), f)?),
        Noun::Alert => Record::Alert(read_alert(AlertId(id), f)?),
        Noun::Node => Record::Node(Node {
            id: NodeId(id),
            name: f.text()?,
            version: f.text()?,
            applied: f.uint()?,
            seen_at: f.time()?,
        }),
        Noun::Lease => Record::Lease(Lease {
            id: LeaseId(id),
            link: LinkId(f.uint()?),
            node: NodeId(f.uint()?),
            since: f.uint()?,
            granted: f.uint()?,
            counted: f.uint()?,
            version: f.uint()?,
            news: match f.u8()? {
                0 => None,
                1 => Some(News::Returned),
                2 => Some(News::Wanted { by: NodeId(f.uint()?) }),
                _ => return None,
            },
        }),
        Noun::Setting => Record::Setting(Setting {
            id: SettingId(id),
            name: f.text()?,
            value: f.bytes()?.to_vec(),
        }),
    };
    fields.end(record)
}

/// Appends a remembered answer with the `ids` made; its scope is its key.
pub fn remembered(out: &mut Vec<u8>, answer: &Remembered, ids: &[u64]) {
    out.u8(FORMAT);
    out.extend_from_slice(&answer.request);
    out.uint(u64::from(answer.status));
    out.time(answer.expires_at);
    out.uint(ids.len() as u64);
    ids.iter().for_each(|id| out.uint(*id));
}

/// The answer remembered under `scope` that these bytes hold.
pub fn read_remembered(scope: [u8; 32], bytes: &[u8]) -> Option<Remembered> {
    let mut fields = Fields(bytes);
    let f = &mut fields;
    if f.u8()? != FORMAT {
        return None;
    }
    let request = f.array()?;
    let status = u16::try_from(f.uint()?).ok()?;
    let expires_at = f.time()?;
    let ids = f.list(Fields::uint)?;
    fields.end(Remembered { scope, request, status, ids, expires_at })
}

fn put_workspace(out: &mut Vec<u8>, workspace: &Workspace) {
    out.text(&workspace.name);
    out.time(workspace.created_at);
    out.uint(workspace.settings.len() as u64);
    for (name, value) in &workspace.settings {
        out.text(name);
        out.text(value);
    }
}

fn read_workspace(id: WorkspaceId, f: &mut Fields<'_>) -> Option<Workspace> {
    let (name, created_at) = (f.text()?, f.time()?);
    let settings = f.list(|f| Some((f.text()?, f.text()?)))?.into_iter().collect();
    Some(Workspace { id, name, created_at, settings })
}

fn put_key(out: &mut Vec<u8>, key: &Key) {
    out.uint(key.workspace.0);
    out.text(&key.login);
    out.extend_from_slice(&key.token_hash);
    out.text(&key.prefix);
    out.text(&key.label);
    out.uint(match key.role {
        Role::Owner => 0,
        Role::Staff(Permissions(bits)) => u64::from(bits) + 1,
    });
    out.time(key.created_at);
    put_mask(out, &[key.last_used_at.is_some(), key.revoked_at.is_some()]);
    [key.last_used_at, key.revoked_at].into_iter().flatten().for_each(|at| out.time(at));
}

fn read_key(id: KeyId, f: &mut Fields<'_>) -> Option<Key> {
    let (workspace, login, token_hash) = (WorkspaceId(f.uint()?), f.text()?, f.array()?);
    let (prefix, label) = (f.text()?, f.text()?);
    let role = match f.uint()?.checked_sub(1) {
        None => Role::Owner,
        Some(bits) => Role::Staff(Permissions(u16::try_from(bits).ok()?)),
    };
    let created_at = f.time()?;
    let mask = read_mask(f, 2)?;
    let last_used_at = optional(mask, 1, || f.time())?;
    let revoked_at = optional(mask, 2, || f.time())?;
    Some(Key {
        id,
        workspace,
        login,
        token_hash,
        prefix,
        label,
        role,
        created_at,
        last_used_at,
        revoked_at,
    })
}

fn put_domain(out: &mut Vec<u8>, domain: &Domain) {
    out.uint(domain.workspace.0);
    out.text(domain.hostname.as_str());
    let status = STATUSES.iter().position(|status| *status == domain.status);
    out.uint(status.unwrap_or_default() as u64);
    out.u8(u8::from(domain.provider == Provider::Cloudflare));
    out.text(&domain.token);
    out.time(domain.created_at);
    let texts = [&domain.provider_id, &domain.ssl_status, &domain.verification_errors];
    let [provider, ssl, errors] = texts.map(Option::is_some);
    put_mask(out, &[provider, ssl, errors, domain.synced_at.is_some()]);
    texts.into_iter().flatten().for_each(|text| out.text(text));
    domain.synced_at.iter().for_each(|at| out.time(*at));
}

fn read_domain(id: DomainId, f: &mut Fields<'_>) -> Option<Domain> {
    let workspace = WorkspaceId(f.uint()?);
    let hostname = Hostname::parse(f.str()?).ok()?;
    let status = *STATUSES.get(usize::try_from(f.uint()?).ok()?)?;
    let provider = if f.flag()? { Provider::Cloudflare } else { Provider::Own };
    let (token, created_at) = (f.text()?, f.time()?);
    let mask = read_mask(f, 4)?;
    Some(Domain {
        id,
        workspace,
        hostname,
        status,
        provider,
        token,
        created_at,
        provider_id: optional(mask, 1, || f.text())?,
        ssl_status: optional(mask, 2, || f.text())?,
        verification_errors: optional(mask, 4, || f.text())?,
        synced_at: optional(mask, 8, || f.time())?,
    })
}

fn put_collection(out: &mut Vec<u8>, collection: &Collection) {
    out.uint(collection.workspace.0);
    out.text(&collection.name);
    out.text(&collection.color);
    out.time(collection.created_at);
    let texts = [&collection.description, &collection.alias];
    let [description, alias] = texts.map(Option::is_some);
    put_mask(out, &[collection.starred, collection.rotator_enabled, description, alias]);
    texts.into_iter().flatten().for_each(|text| out.text(text));
}

fn read_collection(id: CollectionId, f: &mut Fields<'_>) -> Option<Collection> {
    let (workspace, name, color) = (WorkspaceId(f.uint()?), f.text()?, f.text()?);
    let created_at = f.time()?;
    let mask = read_mask(f, 4)?;
    Some(Collection {
        id,
        workspace,
        name,
        color,
        created_at,
        starred: mask & 1 != 0,
        rotator_enabled: mask & 2 != 0,
        description: optional(mask, 4, || f.text())?,
        alias: optional(mask, 8, || f.text())?,
    })
}

fn put_tag(out: &mut Vec<u8>, tag: &AmazonTag) {
    out.uint(tag.workspace.0);
    out.text(&tag.store);
    out.text(&tag.tag);
    put_mask(out, &[tag.active, tag.geo_enabled]);
    out.time(tag.created_at);
}

fn read_tag(id: TagId, f: &mut Fields<'_>) -> Option<AmazonTag> {
    let (workspace, store, tag) = (WorkspaceId(f.uint()?), f.text()?, f.text()?);
    let mask = read_mask(f, 2)?;
    let (active, geo_enabled) = (mask & 1 != 0, mask & 2 != 0);
    Some(AmazonTag { id, workspace, store, tag, active, geo_enabled, created_at: f.time()? })
}

fn put_pixel(out: &mut Vec<u8>, pixel: &Pixel) {
    out.uint(pixel.workspace.0);
    out.text(&pixel.platform);
    out.text(&pixel.pixel_id);
    out.text(&pixel.label);
    out.u8(u8::from(pixel.active));
    out.time(pixel.created_at);
}

fn read_pixel(id: PixelId, f: &mut Fields<'_>) -> Option<Pixel> {
    Some(Pixel {
        id,
        workspace: WorkspaceId(f.uint()?),
        platform: f.text()?,
        pixel_id: f.text()?,
        label: f.text()?,
        active: f.flag()?,
        created_at: f.time()?,
    })
}

fn put_alert(out: &mut Vec<u8>, alert: &Alert) {
    out.uint(alert.workspace.0);
    out.uint(alert.link.0);
    out.uint(alert.threshold);
    out.time(alert.created_at);
    out.uint(u64::from(alert.attempts));
    put_mask(out, &[alert.sent_at.is_some()]);
    alert.sent_at.iter().for_each(|at| out.time(*at));
}

fn read_alert(id: AlertId, f: &mut Fields<'_>) -> Option<Alert> {
    let (workspace, link, threshold) = (WorkspaceId(f.uint()?), LinkId(f.uint()?), f.uint()?);
    let created_at = f.time()?;
    let attempts = u32::try_from(f.uint()?).ok()?;
    let mask = read_mask(f, 1)?;
    let sent_at = optional(mask, 1, || f.time())?;
    Some(Alert { id, workspace, link, threshold, created_at, attempts, sent_at })
}

fn put_mask(out: &mut Vec<u8>, bits: &[bool]) {
    out.uint(bits.iter().rev().fold(0, |mask, bit| mask << 1 | u64::from(*bit)));
}

fn read_mask(f: &mut Fields<'_>, bits: u32) -> Option<u64> {
    f.uint().filter(|mask| mask >> bits == 0)
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
