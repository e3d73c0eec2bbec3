//! `getLink` and `getLinks`: links with their counts.

use std::collections::{BTreeSet, HashMap, hash_map::Entry};

use waypost_link::{Collection, CollectionId, DomainId, Link, LinkId, WorkspaceId};
use waypost_service::{Fault, LinkQuery, Order, Rank, Service};

use crate::{
    kit::{Answer, Call, Fail},
    limits,
};

use super::{
    format::Format,
    params::{self, limit, order},
    wire::{Around, LinkRow},
};

/// `GET /api/v1_0/getLink`: the link of `redirect_hash`, or the list.
pub(super) fn get_link(call: &Call) -> Answer {
    let format = Format::of(call)?;
    let Some(hash) = call.query("redirect_hash")?.filter(|hash| !hash.is_empty()) else {
        return get_links(call);
    };
    let link = call.service().find_link(call.principal()?.workspace, hash)?;
    let rows = rows(call, &[link])?;
    format.one("link", rows.first().ok_or(Fail::NotFound(None))?)
}

/// `GET /api/v1_0/getLinks`
pub(super) fn get_links(call: &Call) -> Answer {
    let format = Format::of(call)?;
    let (sort, order, limit) = (Sort::of(call)?, order(call)?, limit(call)?);
    let links = sort.take(call, order, limit)?;
    format.list("links", "link", &rows(call, &links)?)
}

/// What `sort` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Url,
    Hash,
    Created,
    Clicks(Rank),
    Title,
    Group,
}

/// By the document's names, the default first.
const SORTS: [(&str, Sort); 8] = [
    ("l.created_at", Sort::Created),
    ("l.external_url", Sort::Url),
    ("l.redirect_hash", Sort::Hash),
    ("lc.count_day", Sort::Clicks(Rank::Day)),
    ("lc.count_total", Sort::Clicks(Rank::Total)),
    ("lc.updated_at", Sort::Clicks(Rank::Last)),
    ("d.title", Sort::Title),
    ("g.name", Sort::Group),
];

impl Sort {
    fn of(call: &Call) -> Result<Self, Fail> {
        let name = call.query("sort")?.filter(|name| !name.is_empty());
        let found = SORTS.iter().find(|(known, _)| name.is_none_or(|name| name == *known));
        found.map(|(_, sort)| *sort).ok_or_else(|| {
            let known = SORTS.map(|(name, _)| name).join(", ");
            Fail::invalid("sort", format!("expected one of {known}"))
        })
    }

    /// The first `limit` links in this order.
    fn take(self, call: &Call, order: Order, limit: usize) -> Result<Vec<Link>, Fail> {
        let (service, workspace) = (call.service(), call.principal()?.workspace);
        let chosen = Chosen::of(call)?;
        if self == Self::Created && chosen == Chosen::default() {
            let query = LinkQuery { order, limit, ..listed(workspace) };
            return Ok(service.first_links(query)?.0);
        }
        let mut links = chosen.links(service, workspace)?;
        let names = match self {
            Self::Clicks(rank) => {
                let stats = service.stats(workspace)?;
                return Ok(stats.rank(links, |link| link.id, rank, order, limit)?);
            }
            Self::Group => group_names(service, workspace)?,
            _ => HashMap::new(),
        };
        links.sort_by_cached_key(|link| (self.key(link, &names), link.created_at, link.id));
        if order == Order::Descending {
            links.reverse();
        }
        links.truncate(limit);
        Ok(links)
    }

    fn key(self, link: &Link, groups: &HashMap<CollectionId, String>) -> String {
        match self {
            Self::Url => link.destination.as_str().to_owned(),
            Self::Hash => link.slug.as_str().to_owned(),
            Self::Title => link.title.clone().unwrap_or_default(),
            Self::Group => {
                link.collection.and_then(|id| groups.get(&id)).cloned().unwrap_or_default()
            }
            Self::Created | Self::Clicks(_) => String::new(),
        }
    }
}

/// Which links are asked for: `links` and `groups`, names separated by commas. Both must hold.
#[derive(Debug, Default, PartialEq)]
struct Chosen {
    hashes: Option<Vec<String>>,
    groups: Option<BTreeSet<String>>,
}

impl Chosen {
    fn of(call: &Call) -> Result<Self, Fail> {
        let hashes = params::names(call, "links")?;
        let groups = params::names(call, "groups")?;
        Ok(Self { hashes, groups: groups.map(|names| names.into_iter().collect()) })
    }

    /// All of them, in no order. Archived links are off lists, unless they are named.
    fn links(&self, service: &Service, workspace: WorkspaceId) -> Result<Vec<Link>, Fail> {
        let groups =
            self.groups.as_ref().map(|names| ids(service, workspace, names)).transpose()?;
        let within = |link: &Link| {
            let one_of = |groups: &Vec<_>| link.collection.is_some_and(|id| groups.contains(&id));
            groups.as_ref().is_none_or(one_of)
        };
        let list = |collection| {
            let query = LinkQuery { collection, limit: limits::SORTED, ..listed(workspace) };
            service.first_links(query)
        };
        let mut links = match (&self.hashes, &groups) {
            (Some(hashes), _) => named(service, workspace, hashes)?,
            (None, None) => together([list(None)], limits::SORTED)?,
            (None, Some(groups)) => {
                let lists = groups.iter().map(|group| list(Some(*group)));
                together(lists, limits::SORTED)?
            }
        };
        links.retain(within);
        Ok(links)
    }
}

/// Those of `hashes` that there are, each once.
fn named(service: &Service, workspace: WorkspaceId, hashes: &[String]) -> Result<Vec<Link>, Fail> {
    let mut seen = BTreeSet::new();
    let mut links = Vec::new();
    for hash in hashes {
        match service.find_link(workspace, hash) {
            Ok(link) if seen.insert(link.id) => links.push(link),
            Ok(_) | Err(Fault::NotFound(_)) => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok(links)
}

/// A workspace's links that are on lists.
fn listed(workspace: WorkspaceId) -> LinkQuery {
    let (workspace, archived) = (Some(workspace), Some(false));
    LinkQuery { workspace, archived, ..LinkQuery::default() }
}

/// The links of all these lists, each whole: more than `most` in all can't be sorted.
fn together<L>(
    lists: impl IntoIterator<Item = Result<(Vec<L>, Option<LinkId>), Fault>>,
    most: usize,
) -> Result<Vec<L>, Fail> {
    let mut all = Vec::new();
    for list in lists {
        let (links, more) = list?;
        all.extend(links);
        if more.is_some() || all.len() > most {
            return Err(Fail::invalid("sort", format!("at most {most} links can be sorted so")));
        }
    }
    Ok(all)
}

/// The collections of these names.
fn ids(
    service: &Service,
    workspace: WorkspaceId,
    names: &BTreeSet<String>,
) -> Result<Vec<CollectionId>, Fail> {
    let collections = service.collections(workspace)?;
    let named = collections.into_iter().filter(|collection| names.contains(&collection.name));
    Ok(named.map(|collection| collection.id).collect())
}

fn group_names(
    service: &Service,
    workspace: WorkspaceId,
) -> Result<HashMap<CollectionId, String>, Fail> {
    let named = |collection: Collection| (collection.id, collection.name);
    Ok(service.collections(workspace)?.into_iter().map(named).collect())
}

/// The links with their counts, in their order.
fn rows(call: &Call, links: &[Link]) -> Result<Vec<LinkRow>, Fail> {
    let (service, workspace) = (call.service(), call.principal()?.workspace);
    let ids: Vec<LinkId> = links.iter().map(|link| link.id).collect();
    let stats = service.stats(workspace)?;
    let totals = stats.totals(&ids)?;
    let days = stats.day_counts(&totals)?;
    let groups = group_names(service, workspace)?;
    let mut hosts = HashMap::new();
    let mut rows = Vec::with_capacity(links.len());
    for ((link, total), count_day) in links.iter().zip(&totals).zip(days) {
        let host = match hosts.entry(link.domain) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(host(call, link.domain)?),
        };
        let around = Around {
            url: format!("{}/{}", host.base, link.slug.encoded()),
            host: host.name.clone(),
            group: link.collection.and_then(|id| groups.get(&id)).cloned(),
            offset: call.utc_offset(),
        };
        rows.push(LinkRow::of(link, total, count_day, around));
    }
    Ok(rows)
}

/// What short links on a domain begin with.
struct Host {
    base: String,
    name: String,
}

fn host(call: &Call, domain: DomainId) -> Result<Host, Fail> {
    let service = call.service();
    let name = match service.hostname(domain)? {
        Some(name) => name.as_str().to_owned(),
        None => call.public_host(),
    };
    Ok(Host { base: service.base_url(domain)?, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_to_be_sorted() {
        let more = Some(LinkId(7));
        for (lists, expected) in [
            (&[][..], Some(0)),
            (&[(3, None)], Some(3)),
            (&[(3, more)], None),
            (&[(2, None), (1, None)], Some(3)),
            (&[(2, None), (2, None)], None),
            (&[(3, None), (1, None)], None),
        ] {
            let list = |(count, more): &(usize, _)| Ok((vec![(); *count], *more));
            let all = together(lists.iter().map(list), 3);
            assert_eq!(all.ok().map(|all| all.len()), expected, "{lists:?}");
        }
    }
}
