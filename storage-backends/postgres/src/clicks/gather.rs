//! The clicks of a flush: a few numbers each, by link and time, whose texts stand apart, once.
//!
//! They are read out of their batches once, and put in order once. What is copied in and what is
//! counted comes of the same few bytes, one click after the other, and of texts that are so few
//! that they stay in the cache.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashSet},
};

use hashbrown::HashMap;
use waypost_link::{ClickId, LinkId, WorkspaceId};
use waypost_storage::{
    Address, BatchError, Dimension, Epoch, Error, Mark, Positions, REDIRECT, Result, Text,
    country_text,
};

use super::{
    Taken,
    columns::Values,
    copy,
    flush::agent,
    lane::{self, Lanes},
};

/// A click. Its texts are numbers.
#[derive(Clone, Copy)]
pub(super) struct Hit {
    pub(super) id: ClickId,
    pub(super) workspace: WorkspaceId,
    pub(super) address: Address,
    pub(super) visitor: u32,
    agent: u32,
    pub(super) country: Option<[u8; 2]>,
    pub(super) bot: bool,
    pub(super) spent: bool,
    /// Country, referrer, language, rule.
    values: [u32; 4],
}

impl Hit {
    pub(super) fn hour(&self) -> i64 {
        self.id.received.hour()
    }
}

/// What a user agent says, in numbers of texts.
struct Agent<'c> {
    text: &'c str,
    device: u32,
    browser: u32,
    os: u32,
    bot: bool,
}

/// The texts of a flush, by number: that of a text which is counted is its place in their order.
pub(super) struct Texts<'c> {
    counted: Vec<Cow<'c, str>>,
    /// The same, spelled as fields of raw clicks; and all user agents.
    fields: Values,
    agent_fields: Values,
    agents: Vec<Agent<'c>>,
    source: u32,
}

impl Texts<'_> {
    /// A text that is counted.
    pub(super) fn of(&self, number: u32) -> &str {
        self.counted.get(number as usize).map_or("", |text| text)
    }

    /// The fields of a raw click: who clicked, as it called itself; where from, in which language,
    /// by what and by which rule.
    pub(super) fn fields(&self, hit: &Hit) -> [&[u8]; 5] {
        let [_, referrer, language, rule] = hit.values;
        let [referrer, language, source, rule] =
            [referrer, language, self.source, rule].map(|number| self.fields.get(number as usize));
        [self.agent_fields.get(hit.agent as usize), referrer, language, source, rule]
    }

    /// What a click counts under, in the order of [`Dimension::ALL`].
    pub(super) fn values(&self, hit: &Hit) -> [u32; Dimension::Link as usize] {
        let [country, referrer, language, rule] = hit.values;
        let Agent { device, browser, os, .. } = self.agents[hit.agent as usize];
        [country, device, browser, os, referrer, language, self.source, rule]
    }
}

/// The memory of a flush, kept for the next one: what the system gives anew costs more to touch than
/// all that is done with it.
#[derive(Default)]
pub(super) struct Memory {
    came: Vec<Hit>,
    sorted: Vec<Hit>,
    order: Positions,
}

/// Clicks in the order of link and time, and their texts.
pub(super) struct Sorted<'c> {
    pub(super) hits: &'c mut Vec<Hit>,
    pub(super) texts: Texts<'c>,
}

impl Sorted<'_> {
    /// The links that were clicked.
    pub(super) fn links(&self) -> impl Iterator<Item = LinkId> {
        self.hits.chunk_by(|a, b| a.id.link == b.id.link).map(|clicks| clicks[0].id.link)
    }

    /// Leaves out the clicks of these links.
    pub(super) fn without(&mut self, links: &HashSet<LinkId>) {
        if !links.is_empty() {
            self.hits.retain(|hit| !links.contains(&hit.id.link));
        }
    }
}

/// The last sequences that lanes have written of epochs.
pub(super) type Written = BTreeMap<(Epoch, i16), u64>;

/// Clicks on their way.
pub(super) struct Gathered<'c> {
    memory: &'c mut Memory,
    numbers: HashMap<Cow<'c, str>, u32>,
    agents: HashMap<&'c str, u32>,
    said: Vec<Agent<'c>>,
    countries: HashMap<Option<[u8; 2]>, u32>,
    /// Of each batch, and where its clicks end.
    marks: Vec<(Mark, usize)>,
}

impl<'c> Gathered<'c> {
    /// The clicks of these batches that are of these lanes.
    pub(super) fn of(
        batches: impl Iterator<Item = &'c Taken>,
        lanes: &Lanes,
        memory: &'c mut Memory,
    ) -> Result<Self> {
        memory.came.clear();
        let mut gathered = Self {
            memory,
            numbers: HashMap::new(),
            agents: HashMap::new(),
            said: Vec::new(),
            countries: HashMap::new(),
            marks: Vec::new(),
        };
        for taken in batches {
            gathered.batch(taken, lanes).map_err(|error| Error::Corrupt(error.to_string()))?;
        }
        Ok(gathered)
    }

    /// Adds a batch: each of its texts is looked up once.
    fn batch(&mut self, taken: &'c Taken, lanes: &Lanes) -> std::result::Result<(), BatchError> {
        let (mut known, mut agents) = (Known::default(), Known::default());
        self.memory.came.reserve(taken.batch.len());
        for row in taken.batch.rows() {
            let row = row?;
            if !lanes.contains(&lane::of(row.id.link)) {
                continue;
            }
            let agent = known_of(&mut agents, row.user_agent, |text| self.agent(text));
            let country = self.country(row.country);
            let [referrer, language, rule] = [row.referrer, row.language, row.rule]
                .map(|text| known_of(&mut known, text, |text| self.number(text.into())));
            self.memory.came.push(Hit {
                id: row.id,
                workspace: row.workspace,
                address: row.address,
                visitor: (row.visitor >> 32) as u32,
                agent,
                country: row.country,
                bot: self.said[agent as usize].bot,
                spent: row.spent,
                values: [country, referrer, language, rule],
            });
        }
        self.marks.push((taken.mark, self.memory.came.len()));
        Ok(())
    }

    fn number(&mut self, text: Cow<'c, str>) -> u32 {
        let next = self.numbers.len() as u32;
        *self.numbers.entry(text).or_insert(next)
    }

    fn country(&mut self, country: Option<[u8; 2]>) -> u32 {
        if let Some(&known) = self.countries.get(&country) {
            return known;
        }
        let number = self.number(country_text(country).into());
        self.countries.insert(country, number);
        number
    }

    fn agent(&mut self, text: &'c str) -> u32 {
        if let Some(&known) = self.agents.get(text) {
            return known;
        }
        let said = agent(text);
        let [device, browser, os] =
            [said.device, said.browser, said.os].map(|text| self.number(text.into()));
        let number = self.said.len() as u32;
        self.said.push(Agent { text, device, browser, os, bot: said.bot });
        self.agents.insert(text, number);
        number
    }

    /// The marks of its batches.
    pub(super) fn marks(&self) -> impl Iterator<Item = Mark> {
        self.marks.iter().map(|(mark, _)| *mark)
    }

    /// The days of its clicks.
    pub(super) fn days(&self) -> BTreeSet<i64> {
        let mut days = BTreeSet::new();
        // Collected, all would be sorted first.
        days.extend(self.memory.came.iter().map(|hit| hit.id.received.day()));
        days
    }

    /// Leaves out the clicks of batches that their lanes have `written`.
    pub(super) fn keep_fresh(&mut self, written: &Written) {
        let fresh = |mark: &Mark, lane| {
            written.get(&(mark.epoch, lane)).is_none_or(|last| mark.sequence > *last)
        };
        if self.marks.iter().all(|(mark, _)| lane::all().all(|lane| fresh(mark, lane))) {
            return;
        }
        let Memory { came, sorted: kept, .. } = &mut *self.memory;
        kept.clear();
        let mut start = 0;
        for (mark, end) in &self.marks {
            let hits = came[start..*end].iter();
            kept.extend(hits.filter(|hit| fresh(mark, lane::of(hit.id.link))));
            start = *end;
        }
        std::mem::swap(came, kept);
    }

    /// The clicks in order.
    pub(super) fn sorted(mut self) -> Sorted<'c> {
        let source = self.number(REDIRECT.into());
        let Self { memory: Memory { came, sorted, order }, numbers, mut said, .. } = self;
        let mut all: Vec<_> = numbers.into_iter().collect();
        all.sort_unstable();
        let mut places = vec![0; all.len()];
        for (place, (_, number)) in all.iter().enumerate() {
            places[*number as usize] = place as u32;
        }
        let place = |number: u32| places[number as usize];
        for agent in &mut said {
            for number in [&mut agent.device, &mut agent.browser, &mut agent.os] {
                *number = place(*number);
            }
        }
        let placed = |at: usize| Hit { values: came[at].values.map(place), ..came[at] };
        by_link(came, order);
        sorted.clear();
        sorted.extend(order.iter().map(placed));
        sorted.chunk_by_mut(|a, b| a.id.link == b.id.link).for_each(by_time);
        let counted: Vec<_> = all.into_iter().map(|(text, _)| text).collect();
        let texts = Texts {
            fields: fields(counted.iter().map(Cow::as_ref)),
            agent_fields: fields(said.iter().map(|agent| agent.text)),
            counted,
            agents: said,
            source: place(source),
        };
        Sorted { hits: sorted, texts }
    }
}

/// Texts as raw clicks have them: spelled once for all clicks of a flush.
fn fields<'t>(texts: impl Iterator<Item = &'t str>) -> Values {
    let mut fields = Values::default();
    texts.for_each(|text| fields.push(|out| copy::words(out, text)));
    fields
}

fn by_link(hits: &[Hit], order: &mut Positions) {
    let links = || hits.iter().map(|hit| hit.id.link.0);
    let least = links().min().unwrap_or_default();
    let range = links().max().unwrap_or_default() - least;
    if range <= u64::from(u32::MAX) {
        order.by_key(links().map(|link| (link - least) as u32));
    } else {
        order.by_comparing(hits.len(), |at| hits[at].id.link);
    }
}

/// Batches come in the order of time, but for clicks that several threads took.
fn by_time(clicks: &mut [Hit]) {
    if !clicks.is_sorted_by_key(|hit| hit.id.received) {
        clicks.sort_by_key(|hit| hit.id.received);
    }
}

/// What is known of a batch's texts, by their index.
type Known = Vec<Option<u32>>;

/// The number of a text of a batch, found out once.
fn known_of<'c>(known: &mut Known, text: Text<'c>, find_out: impl FnOnce(&'c str) -> u32) -> u32 {
    let at = text.index as usize;
    if at >= known.len() {
        known.resize(at + 1, None);
    }
    *known[at].get_or_insert_with(|| find_out(text.text))
}
