//! A link as bytes. Its id is in its key, so it is not in here.

use waypost_link::{
    CollectionId, Destination, DomainId, Flags, Link, LinkId, Placement, Rule, Script, Slug,
    Status, Utm, WorkspaceId,
};

use super::{Fields, Put, optional};

/// The format byte of links.
const FORMAT: u8 = 1;

/// Optional fields, in the order in which they follow.
mod has {
    pub(super) const DEACTIVATED: u64 = 1;
    pub(super) const ARCHIVED: u64 = 1 << 1;
    pub(super) const VALID_FROM: u64 = 1 << 2;
    pub(super) const EXPIRES: u64 = 1 << 3;
    pub(super) const MAX_CLICKS: u64 = 1 << 4;
    pub(super) const ALERT_AT: u64 = 1 << 5;
    pub(super) const PASSWORD: u64 = 1 << 6;
    pub(super) const COLLECTION: u64 = 1 << 7;
    pub(super) const UTM: u64 = 1 << 8;
    pub(super) const RULES: u64 = 1 << 9;
    pub(super) const SCRIPTS: u64 = 1 << 10;
    pub(super) const TAGS: u64 = 1 << 11;
    pub(super) const TITLE: u64 = 1 << 12;
    pub(super) const DESCRIPTION: u64 = 1 << 13;
    pub(super) const NOTES: u64 = 1 << 14;
    pub(super) const SOURCE_LABEL: u64 = 1 << 15;
    pub(super) const ASIN: u64 = 1 << 16;
    pub(super) const PRODUCT_IMAGE: u64 = 1 << 17;
    pub(super) const ATTRIBUTES: u64 = 1 << 18;
    pub(super) const ALL: u64 = (1 << 19) - 1;
}

/// `link` as it is in its `version`.
pub fn link_bytes(link: &Link, version: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(96 + link.destination.as_str().len());
    let out = &mut bytes;
    out.u8(FORMAT);
    out.uint(version);
    out.uint(link.workspace.0);
    out.uint(link.domain.0);
    out.text(link.slug.as_str());
    out.text(link.destination.as_str());
    out.uint(u64::from(link.status.code()));
    out.uint(u64::from(link.flags.0));
    out.time(link.created_at);
    out.int(link.updated_at.0.wrapping_sub(link.created_at.0));
    out.uint(mask(link));
    put_numbers(out, link);
    put_parts(out, link);
    put_texts(out, link);
    put_attributes(out, link);
    bytes
}

/// The link of `id` that these bytes hold.
pub fn read_link(id: LinkId, bytes: &[u8]) -> Option<Link> {
    let mut fields = Fields(bytes);
    let f = &mut fields;
    if f.u8()? != FORMAT {
        return None;
    }
    let version = f.uint()?;
    let (workspace, domain) = (WorkspaceId(f.uint()?), DomainId(f.uint()?));
    let slug = Slug::parse(f.str()?).ok()?;
    let destination = Destination::restore(f.str()?).ok()?;
    let status = Status::from_code(u16::try_from(f.uint()?).ok()?)?;
    let flags = Flags(u16::try_from(f.uint()?).ok()?);
    let created_at = f.time()?;
    let updated = f.int()?;
    let mut link = Link {
        id,
        version,
        status,
        flags,
        ..Link::new(workspace, domain, slug, destination, created_at)
    };
    link.updated_at.0 = created_at.0.wrapping_add(updated);
    let mask = f.uint()?;
    if mask & !has::ALL != 0 {
        return None;
    }
    read_numbers(f, mask, &mut link)?;
    read_parts(f, mask, &mut link)?;
    read_texts(f, mask, &mut link)?;
    read_attributes(f, mask, &mut link)?;
    fields.end(link)
}

fn mask(link: &Link) -> u64 {
    [
        (has::DEACTIVATED, link.deactivated_at.is_some()),
        (has::ARCHIVED, link.archived_at.is_some()),
        (has::VALID_FROM, link.valid_from.is_some()),
        (has::EXPIRES, link.expires_at.is_some()),
        (has::MAX_CLICKS, link.max_clicks.is_some()),
        (has::ALERT_AT, link.alert_at.is_some()),
        (has::PASSWORD, link.password.is_some()),
        (has::COLLECTION, link.collection.is_some()),
        (has::UTM, !link.utm.is_empty()),
        (has::RULES, !link.rules.is_empty()),
        (has::SCRIPTS, !link.scripts.is_empty()),
        (has::TAGS, !link.tags.is_empty()),
        (has::TITLE, link.title.is_some()),
        (has::DESCRIPTION, link.description.is_some()),
        (has::NOTES, link.notes.is_some()),
        (has::SOURCE_LABEL, link.source_label.is_some()),
        (has::ASIN, link.asin.is_some()),
        (has::PRODUCT_IMAGE, link.product_image_url.is_some()),
        (has::ATTRIBUTES, !link.attributes.is_empty()),
    ]
    .iter()
    .fold(0, |mask, (bit, there)| if *there { mask | bit } else { mask })
}

fn put_numbers(out: &mut Vec<u8>, link: &Link) {
    let times = [link.deactivated_at, link.archived_at, link.valid_from, link.expires_at];
    times.into_iter().flatten().for_each(|at| out.time(at));
    [link.max_clicks, link.alert_at].into_iter().flatten().for_each(|n| out.uint(n));
    link.password.iter().for_each(|hash| out.text(hash));
    link.collection.iter().for_each(|id| out.uint(id.0));
}

fn read_numbers(f: &mut Fields<'_>, mask: u64, link: &mut Link) -> Option<()> {
    link.deactivated_at = optional(mask, has::DEACTIVATED, || f.time())?;
    link.archived_at = optional(mask, has::ARCHIVED, || f.time())?;
    link.valid_from = optional(mask, has::VALID_FROM, || f.time())?;
    link.expires_at = optional(mask, has::EXPIRES, || f.time())?;
    link.max_clicks = optional(mask, has::MAX_CLICKS, || f.uint())?;
    link.alert_at = optional(mask, has::ALERT_AT, || f.uint())?;
    link.password = optional(mask, has::PASSWORD, || f.text())?;
    link.collection = optional(mask, has::COLLECTION, || f.uint())?.map(CollectionId);
    Some(())
}

fn put_parts(out: &mut Vec<u8>, link: &Link) {
    if !link.utm.is_empty() {
        let Utm { source, medium, campaign, term, content } = &link.utm;
        [source, medium, campaign, term, content].into_iter().for_each(|part| out.text(part));
    }
    if !link.rules.is_empty() {
        out.uint(link.rules.len() as u64);
        link.rules.iter().for_each(|rule| put_rule(out, rule));
    }
    if !link.scripts.is_empty() {
        out.uint(link.scripts.len() as u64);
        for script in &link.scripts {
            out.text(&script.id);
            out.u8(u8::from(script.placement == Placement::Body));
            out.text(&script.script);
        }
    }
    if !link.tags.is_empty() {
        out.uint(link.tags.len() as u64);
        link.tags.iter().for_each(|tag| out.text(tag));
    }
}

fn read_parts(f: &mut Fields<'_>, mask: u64, link: &mut Link) -> Option<()> {
    if mask & has::UTM != 0 {
        let [source, medium, campaign, term, content] =
            [f.text()?, f.text()?, f.text()?, f.text()?, f.text()?];
        link.utm = Utm { source, medium, campaign, term, content };
    }
    link.rules = optional(mask, has::RULES, || f.list(read_rule))?.unwrap_or_default();
    link.scripts = optional(mask, has::SCRIPTS, || f.list(read_script))?.unwrap_or_default();
    link.tags = optional(mask, has::TAGS, || f.list(Fields::text))?.unwrap_or_default();
    Some(())
}

/// A share is kept in hundredths of a percent, as rules count it.
fn put_rule(out: &mut Vec<u8>, rule: &Rule) {
    out.text(&rule.id);
    out.text(rule.name());
    out.text(rule.value());
    let share = rule.percentage().map_or(0, |percent| (percent * 100.0).round() as u64 + 1);
    out.uint(share);
    out.text(rule.destination.as_str());
}

fn read_rule(f: &mut Fields<'_>) -> Option<Rule> {
    let (id, name, value) = (f.str()?, f.str()?, f.str()?);
    let share = f.uint()?.checked_sub(1).map(|share| share as f64 / 100.0);
    let destination = Destination::restore(f.str()?).ok()?;
    Rule::parse(id, name, value, share, destination).ok()
}

fn read_script(f: &mut Fields<'_>) -> Option<Script> {
    let id = f.text()?;
    let placement = if f.flag()? { Placement::Body } else { Placement::Head };
    Some(Script { id, placement, script: f.text()? })
}

fn put_texts(out: &mut Vec<u8>, link: &Link) {
    let texts = [
        &link.title,
        &link.description,
        &link.notes,
        &link.source_label,
        &link.asin,
        &link.product_image_url,
    ];
    texts.into_iter().flatten().for_each(|text| out.text(text));
}

fn read_texts(f: &mut Fields<'_>, mask: u64, link: &mut Link) -> Option<()> {
    link.title = optional(mask, has::TITLE, || f.text())?;
    link.description = optional(mask, has::DESCRIPTION, || f.text())?;
    link.notes = optional(mask, has::NOTES, || f.text())?;
    link.source_label = optional(mask, has::SOURCE_LABEL, || f.text())?;
    link.asin = optional(mask, has::ASIN, || f.text())?;
    link.product_image_url = optional(mask, has::PRODUCT_IMAGE, || f.text())?;
    Some(())
}

fn put_attributes(out: &mut Vec<u8>, link: &Link) {
    if !link.attributes.is_empty() {
        out.uint(link.attributes.iter().len() as u64);
        for (name, value) in link.attributes.iter() {
            out.text(name);
            out.text(value);
        }
    }
}

fn read_attributes(f: &mut Fields<'_>, mask: u64, link: &mut Link) -> Option<()> {
    if mask & has::ATTRIBUTES == 0 {
        return Some(());
    }
    let pairs = f.list(|f| Some((f.str()?, f.str()?)))?;
    let count = pairs.len();
    let set = pairs.into_iter().all(|(name, value)| link.attributes.set(name, Some(value)));
    (set && link.attributes.iter().len() == count).then_some(())
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
