//! The model's clicks, buckets, dedupe keys and marks.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use waypost_link::{ClickId, LinkId, Timestamp, WorkspaceId};

use super::page;
use crate::{
    Appended, Batch, BatchError, Bucket, ClickQuery, ClickScope, Conversion, Counts, Epoch, Error,
    Event, Grain, Hit, LinkCount, LinkCountQuery, Mark, NewClick, Order, Page, REDIRECT, ReadAgent,
    Recorded, Result, Row, Scope, StoredClick, TallyQuery, Totals, Trim, Trimmed, Window,
};

const GRAINS: [Grain; 3] = [Grain::Hour, Grain::Day, Grain::All];

#[derive(Clone, Default)]
pub(super) struct Clicks {
    /// By name; clicks that share one are told apart by the order they came in.
    pub(super) raw: BTreeMap<(ClickId, u32), StoredClick>,
    pub(super) buckets: BTreeMap<(Whose, Grain, i64), Counts>,
    /// Of links: what no bucket knows.
    pub(super) links: BTreeMap<LinkId, Extra>,
    /// How far raw clicks were trimmed: they are fewer than the buckets count then.
    pub(super) trimmed: Option<Timestamp>,
    pub(super) purged: BTreeSet<LinkId>,
    pub(super) dedupe: BTreeMap<[u8; 32], ClickId>,
    pub(super) converted: BTreeMap<ClickId, (Timestamp, Option<String>)>,
    marks: BTreeMap<Epoch, u64>,
}

/// Whose bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whose {
    Link(LinkId),
    Workspace(WorkspaceId),
}

/// What a link has beside its buckets.
#[derive(Clone)]
pub(super) struct Extra {
    pub(super) workspace: WorkspaceId,
    pub(super) spent: u64,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
}

impl Clicks {
    pub(super) fn append(
        &mut self,
        mark: Mark,
        batch: &Batch,
        read_agent: ReadAgent,
    ) -> Result<Appended> {
        if mark.sequence <= self.mark(mark.epoch) {
            return Ok(Appended::Duplicate);
        }
        let rows: Vec<_> = batch.rows().map(|row| row.map_err(corrupt)).collect::<Result<_>>()?;
        let (gone, rows): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| self.purged.contains(&row.id.link));
        for row in rows {
            let agent = read_agent(row.user_agent.text.as_bytes());
            self.count(row.workspace, row.id.received, &Hit::of_row(&row, agent));
            self.extra(row.id.link, row.workspace).spent += u64::from(row.spent);
            self.keep(stored_redirect(&row, agent));
        }
        self.marks.insert(mark.epoch, mark.sequence);
        Ok(Appended::Fresh { discarded: gone.len() as u64 })
    }

    pub(super) fn record(&mut self, event: &Event, read_agent: ReadAgent) -> Recorded {
        match event {
            Event::Click(click) => self.record_click(click, read_agent),
            Event::Conversion(conversion) => self.record_conversion(conversion),
        }
    }

    fn record_click(&mut self, click: &NewClick, read_agent: ReadAgent) -> Recorded {
        if self.purged.contains(&click.id.link) {
            return Recorded::Unknown;
        }
        if let Some(&first) = click.dedupe.and_then(|key| self.dedupe.get(&key)) {
            return Recorded::Duplicate(first);
        }
        if let Some(key) = click.dedupe {
            self.dedupe.insert(key, click.id);
        }
        let agent = read_agent(click.user_agent.as_bytes());
        self.count(click.workspace, click.clicked_at, &Hit::of_click(click, agent));
        self.keep(stored_report(click, agent));
        Recorded::Stored(click.id)
    }

    fn record_conversion(&mut self, conversion: &Conversion) -> Recorded {
        let id = conversion.click;
        if !self.raw.contains_key(&(id, 0)) {
            return Recorded::Unknown;
        }
        if self.converted.contains_key(&id) {
            return Recorded::Duplicate(id);
        }
        self.converted.insert(id, (conversion.at, conversion.value.clone()));
        for whose in [Whose::Link(id.link), Whose::Workspace(conversion.workspace)] {
            for grain in GRAINS {
                let place = (whose, grain, grain.bucket(conversion.at));
                self.buckets.entry(place).or_default().conversions += 1;
            }
        }
        Recorded::Stored(id)
    }

    pub(super) fn mark(&self, epoch: Epoch) -> u64 {
        self.marks.get(&epoch).copied().unwrap_or(0)
    }

    pub(super) fn forget_epoch(&mut self, epoch: Epoch) {
        self.marks.remove(&epoch);
    }

    pub(super) fn trim(&mut self, trim: Trim) -> Trimmed {
        let before = self.raw.len();
        match trim {
            Trim::Before(time) => {
                self.raw.retain(|(id, _), _| id.received >= time);
                if self.raw.len() < before {
                    self.trimmed = Some(time);
                }
            }
            Trim::Link(link, workspace) => self.purge(link, workspace),
        }
        Trimmed { clicks: (before - self.raw.len()) as u64, more: false }
    }

    fn purge(&mut self, link: LinkId, workspace: WorkspaceId) {
        self.purged.insert(link);
        self.raw.retain(|(id, _), _| id.link != link);
        self.dedupe.retain(|_, id| id.link != link);
        self.converted.retain(|id, _| id.link != link);
        self.links.remove(&link);
        let own = |place: &(Whose, Grain, i64)| place.0 == Whose::Link(link);
        for (place, counts) in
            self.buckets.extract_if(.., |place, _| own(place)).collect::<Vec<_>>()
        {
            let theirs = (Whose::Workspace(workspace), place.1, place.2);
            if let Some(bucket) = self.buckets.get_mut(&theirs) {
                bucket.subtract(&counts, link);
                if bucket.is_empty() {
                    self.buckets.remove(&theirs);
                }
            }
        }
    }

    fn count(&mut self, workspace: WorkspaceId, at: Timestamp, hit: &Hit<'_>) {
        for (whose, all) in [(Whose::Link(hit.link), false), (Whose::Workspace(workspace), true)] {
            for grain in GRAINS {
                let bucket = self.buckets.entry((whose, grain, grain.bucket(at))).or_default();
                bucket.add(hit, all);
            }
        }
        let extra = self.extra(hit.link, workspace);
        extra.first = Some(extra.first.map_or(at, |first| first.min(at)));
        extra.last = extra.last.max(Some(at));
    }

    pub(super) fn keep(&mut self, click: StoredClick) {
        let same = self.raw.range((click.id, 0)..=(click.id, u32::MAX)).count() as u32;
        self.raw.insert((click.id, same), click);
    }

    pub(super) fn extra(&mut self, link: LinkId, workspace: WorkspaceId) -> &mut Extra {
        let new = Extra { workspace, spent: 0, first: None, last: None };
        self.links.entry(link).or_insert(new)
    }
}

/// Reads.
impl Clicks {
    pub(super) fn clicks(&self, query: &ClickQuery) -> Page<StoredClick, Vec<u8>> {
        let mut found: Vec<_> = self.raw.iter().filter(|(_, click)| fits(query, click)).collect();
        found.sort_by_key(|&(place, click)| key(place, click));
        if query.order == Order::Descending {
            found.reverse();
        }
        if let Some(after) = &query.after {
            found.retain(|&(place, click)| {
                let key = key(place, click);
                if query.order == Order::Ascending { key > *after } else { key < *after }
            });
        }
        let page = page(found.into_iter(), query.limit, |&(place, click)| key(place, click));
        let items = page.items.into_iter().map(|(_, click)| click.clone()).collect();
        Page { items, next: page.next }
    }

    pub(super) fn count_raw(&self, scope: ClickScope, range: &Range<Timestamp>) -> Window {
        let (from, before) = (Some(range.start), Some(range.end));
        let (order, after, limit) = (Order::Ascending, None, 0);
        let query = ClickQuery { scope, from, before, order, after, limit };
        let found: Vec<_> = self.raw.values().filter(|click| fits(&query, click)).collect();
        let bots = found.iter().filter(|click| click.bot).count() as u64;
        Window { clicks: found.len() as u64, bots }
    }

    pub(super) fn click(&self, id: ClickId) -> Option<StoredClick> {
        self.raw.get(&(id, 0)).cloned()
    }

    pub(super) fn totals(&self, link: LinkId) -> Totals {
        let mut totals = Totals { link, ..Totals::default() };
        if let Some(all) = self.buckets.get(&(Whose::Link(link), Grain::All, 0)) {
            (totals.clicks, totals.bots) = (all.clicks, all.bots);
            totals.conversions = all.conversions;
        }
        if let Some(extra) = self.links.get(&link) {
            (totals.spent, totals.first, totals.last) = (extra.spent, extra.first, extra.last);
        }
        totals
    }

    pub(super) fn tally(&self, query: &TallyQuery) -> Vec<Bucket> {
        let whose: Vec<_> = match &query.scope {
            Scope::Links(links) => links.iter().copied().map(Whose::Link).collect(),
            Scope::Workspace(workspace) => vec![Whose::Workspace(*workspace)],
        };
        let range = if query.grain == Grain::All { 0..1 } else { query.from..query.to };
        let mut merged = BTreeMap::<i64, Counts>::new();
        for ((_, grain, start), counts) in
            self.buckets.iter().filter(|((owner, ..), _)| whose.contains(owner))
        {
            if *grain == query.grain && range.contains(start) {
                merged.entry(*start).or_default().merge(counts);
            }
        }
        let bucket = |(start, mut counts): (i64, Counts)| {
            counts.limit();
            counts.cut(query.detail);
            Bucket { start, counts }
        };
        merged.into_iter().map(bucket).collect()
    }

    pub(super) fn link_counts(&self, query: &LinkCountQuery) -> Page<LinkCount, LinkId> {
        let count = |link: LinkId| {
            let day = |start| (Whose::Link(link), Grain::Day, start);
            let days = self.buckets.range(day(query.from)..day(query.to.max(query.from)));
            days.fold(LinkCount { link, ..LinkCount::default() }, |sum, (_, counts)| LinkCount {
                clicks: sum.clicks + counts.clicks,
                bots: sum.bots + counts.bots,
                ..sum
            })
        };
        let clicked = self
            .links
            .iter()
            .filter(|&(&link, extra)| {
                extra.workspace == query.workspace && query.after < Some(link)
            })
            .map(|(&link, _)| count(link))
            .filter(|count| count.clicks > 0);
        page(clicked, query.limit, |count| count.link)
    }
}

fn corrupt(error: BatchError) -> Error {
    Error::Corrupt(error.to_string())
}

fn fits(query: &ClickQuery, click: &StoredClick) -> bool {
    let own = match query.scope {
        ClickScope::Link(link) => click.id.link == link,
        ClickScope::Workspace(workspace) => click.workspace == workspace,
    };
    own && query.from.is_none_or(|from| click.clicked_at >= from)
        && query.before.is_none_or(|before| click.clicked_at < before)
}

/// Bytes that sort as clicks do: time clicked, name, order of coming. They are the cursor too.
fn key(&(id, same): &(ClickId, u32), click: &StoredClick) -> Vec<u8> {
    let sortable = |at: Timestamp| (at.0 as u64 ^ (1 << 63)).to_be_bytes();
    let mut key = Vec::new();
    key.extend(sortable(click.clicked_at));
    key.extend(sortable(id.received));
    key.extend(id.link.0.to_be_bytes());
    key.extend(id.salt.to_be_bytes());
    key.extend(same.to_be_bytes());
    key
}

fn stored_redirect(row: &Row<'_>, agent: crate::AgentDetails) -> StoredClick {
    StoredClick {
        id: row.id,
        workspace: row.workspace,
        clicked_at: row.id.received,
        ip: row.address.text(),
        country: row.country,
        user_agent: row.user_agent.text.to_owned(),
        browser: agent.browser,
        os: agent.os,
        device: agent.device,
        bot: agent.bot,
        referrer: row.referrer.text.to_owned(),
        language: row.language.text.to_owned(),
        session: None,
        source: REDIRECT.to_owned(),
        metadata: None,
        rule: row.rule.text.to_owned(),
    }
}

fn stored_report(click: &NewClick, agent: crate::AgentDetails) -> StoredClick {
    StoredClick {
        id: click.id,
        workspace: click.workspace,
        clicked_at: click.clicked_at,
        ip: click.ip.clone(),
        country: click.country,
        user_agent: click.user_agent.clone(),
        browser: agent.browser,
        os: agent.os,
        device: agent.device,
        bot: agent.bot,
        referrer: click.referrer.clone(),
        language: click.language.clone(),
        session: click.session.clone(),
        source: click.source.clone(),
        metadata: click.metadata.clone(),
        rule: String::new(),
    }
}
