//! Clicks as they are counted: a few numbers each, whose texts stand apart, once.

use std::{borrow::Cow, collections::HashMap};

use waypost_link::{LinkId, Timestamp, WorkspaceId};
use waypost_storage::{Dimension, REDIRECT, Row, Text, country_text};

use super::flush::agent;

/// A click. Its values are numbers of texts, in the order of [`Dimension::ALL`].
#[derive(Clone, Copy)]
pub(super) struct Hit {
    pub(super) link: LinkId,
    pub(super) at: i64,
    pub(super) workspace: WorkspaceId,
    pub(super) visitor: u32,
    pub(super) values: [u32; Dimension::Link as usize],
    pub(super) bot: bool,
    pub(super) spent: bool,
}

impl Hit {
    pub(super) fn hour(&self) -> i64 {
        Timestamp(self.at).hour()
    }
}

/// Texts by number.
#[derive(Default)]
pub(super) struct Texts<'c>(Vec<Cow<'c, str>>);

impl Texts<'_> {
    pub(super) fn of(&self, number: u32) -> &str {
        self.0.get(number as usize).map_or("", |text| text)
    }
}

/// What a user agent says, in numbers of texts.
#[derive(Clone, Copy)]
struct Agent {
    device: u32,
    browser: u32,
    os: u32,
    bot: bool,
}

/// Clicks on their way.
#[derive(Default)]
pub(super) struct Gathered<'c> {
    numbers: HashMap<Cow<'c, str>, u32>,
    agents: HashMap<u32, Agent>,
    countries: HashMap<Option<[u8; 2]>, u32>,
    hits: Vec<Hit>,
}

impl<'c> Gathered<'c> {
    /// Room for so many clicks.
    pub(super) fn with_room(clicks: usize) -> Self {
        Self { hits: Vec::with_capacity(clicks), ..Self::default() }
    }

    /// Adds clicks of one batch: each of its texts is looked up once.
    pub(super) fn batch(&mut self, rows: &[&Row<'c>]) {
        let source = self.number(REDIRECT.into());
        let (mut known, mut agents) = (Known::default(), Vec::new());
        for row in rows {
            let agent = known_of(&mut agents, row.user_agent, |text| self.agent(text));
            let mut number = |text| known_of(&mut known, text, |text| self.number(text.into()));
            let [referrer, language, rule] =
                [row.referrer, row.language, row.rule].map(&mut number);
            let country = self.country(row.country);
            let Agent { device, browser, os, bot } = agent;
            self.hits.push(Hit {
                link: row.id.link,
                at: row.id.received.0,
                workspace: row.workspace,
                visitor: (row.visitor >> 32) as u32,
                values: [country, device, browser, os, referrer, language, source, rule],
                bot,
                spent: row.spent,
            });
        }
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

    fn agent(&mut self, text: &'c str) -> Agent {
        let of = self.number(text.into());
        if let Some(&known) = self.agents.get(&of) {
            return known;
        }
        let said = agent(text);
        let [device, browser, os] =
            [said.device, said.browser, said.os].map(|text| self.number(text.into()));
        let agent = Agent { device, browser, os, bot: said.bot };
        self.agents.insert(of, agent);
        agent
    }

    /// The texts in their order, and the clicks with the numbers that these have.
    pub(super) fn in_order(self) -> (Texts<'c>, Vec<Hit>) {
        let mut hits = self.hits;
        let mut all: Vec<_> = self.numbers.into_iter().collect();
        all.sort_unstable();
        let mut places = vec![0; all.len()];
        for (place, (_, number)) in all.iter().enumerate() {
            places[*number as usize] = place as u32;
        }
        for hit in &mut hits {
            hit.values = hit.values.map(|number| places[number as usize]);
        }
        (Texts(all.into_iter().map(|(text, _)| text).collect()), hits)
    }
}

/// What is known of a batch's texts, by their index.
type Known<T> = Vec<Option<T>>;

/// What is known of a text of a batch, found out once.
pub(super) fn known_of<'c, T: Copy>(
    known: &mut Known<T>,
    text: Text<'c>,
    find_out: impl FnOnce(&'c str) -> T,
) -> T {
    let at = text.index as usize;
    if at >= known.len() {
        known.resize(at + 1, None);
    }
    *known[at].get_or_insert_with(|| find_out(text.text))
}
