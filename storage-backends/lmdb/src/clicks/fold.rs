//! Counting the clicks of one bucket: arrays addressed by number, emptied by what was touched.
//!
//! The same arrays serve bucket after bucket, so counting allocates nothing and a click costs a
//! handful of increments. What comes out is merged into stored bytes by [`bucket`](super::bucket).

use waypost_storage::{Dimension, REDIRECT, Sketch};

use super::{
    dictionary::{Class, Dictionary, Texts},
    generation::Record,
};

/// Hashes that a crowd gathers before they go into a sketch.
const CROWD: usize = 1 << 13;

/// Clicks and bots by the number of a value, of one dimension.
#[derive(Default)]
pub(super) struct Cells {
    counts: Vec<[u32; 2]>,
    touched: Vec<u32>,
}

impl Cells {
    #[inline]
    pub(super) fn add(&mut self, value: u32, [clicks, bots]: [u32; 2]) {
        let at = value as usize;
        if at >= self.counts.len() {
            self.counts.resize((at + 1).next_power_of_two(), [0; 2]);
        }
        let cell = &mut self.counts[at];
        if cell[0] == 0 {
            self.touched.push(value);
        }
        *cell = [cell[0] + clicks, cell[1] + bots];
    }

    /// What was counted of `value`, which is not counted any more.
    pub(super) fn take(&mut self, value: u32) -> [u32; 2] {
        self.counts.get_mut(value as usize).map_or([0; 2], std::mem::take)
    }

    /// How many values were counted, those that were taken included.
    pub(super) fn touched(&self) -> usize {
        self.touched.len()
    }

    /// What was counted and not taken, which is not counted any more.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (u32, [u32; 2])> {
        let counts = &mut self.counts;
        let all = self.touched.drain(..);
        all.map(|value| (value, std::mem::take(&mut counts[value as usize])))
            .filter(|(_, cell)| cell[0] > 0)
    }

    fn iter(&self) -> impl Iterator<Item = (u32, [u32; 2])> {
        self.touched.iter().map(|&value| (value, self.counts[value as usize]))
    }
}

/// Who clicked: hashes as they come, or a sketch of very many.
#[derive(Default)]
pub(super) struct Crowd {
    pub(super) hashes: Vec<u32>,
    pub(super) sketch: Option<Sketch>,
}

impl Crowd {
    fn extend(&mut self, hashes: &[u32]) {
        self.hashes.extend_from_slice(hashes);
        if self.hashes.len() >= CROWD {
            self.sketch.get_or_insert_default().extend(&self.hashes);
            self.hashes.clear();
        }
    }
}

/// What a bucket has to be raised by.
pub(super) struct Fold {
    pub(super) clicks: u64,
    pub(super) bots: u64,
    pub(super) spent: u64,
    /// The earliest and the latest time; of no account without clicks.
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) visitors: Crowd,
    pub(super) robots: Crowd,
    cells: [Cells; Dimension::ALL.len()],
    classes: Cells,
    /// The links of a workspace's bucket, ascending: their places are the numbers of its cells.
    links: Vec<u64>,
    sources: Texts,
}

impl Default for Fold {
    fn default() -> Self {
        let mut sources = Texts::default();
        sources.intern(REDIRECT);
        Self {
            clicks: 0,
            bots: 0,
            spent: 0,
            first: i64::MAX,
            last: i64::MIN,
            visitors: Crowd::default(),
            robots: Crowd::default(),
            cells: Default::default(),
            classes: Cells::default(),
            links: Vec::new(),
            sources,
        }
    }
}

impl Fold {
    /// Counts records of one link.
    pub(super) fn count(&mut self, records: &[Record]) {
        let [country, _, _, _, referrer, language, _, rule, _] = &mut self.cells;
        for record in records {
            let bot = u32::from(record.class.is_bot());
            let one = [1, bot];
            self.bots += u64::from(bot);
            self.spent += u64::from(record.spent());
            self.first = self.first.min(record.at);
            self.last = self.last.max(record.at);
            self.classes.add(u32::from(record.class.0), one);
            country.add(u32::from(u16::from_be_bytes(record.country)), one);
            referrer.add(record.referrer, one);
            language.add(record.language, one);
            rule.add(record.rule, one);
            let crowd = if bot == 1 { &mut self.robots } else { &mut self.visitors };
            crowd.hashes.push(record.visitor);
        }
        self.clicks += records.len() as u64;
    }

    /// Works out what counting left for the end, once.
    pub(super) fn close(&mut self) {
        let Self { cells, classes, .. } = self;
        let [_, device, browser, os, _, _, source, ..] = cells;
        for (class, cell) in classes.drain() {
            let class = Class(class as u16);
            device.add(class.device(), cell);
            browser.add(class.browser(), cell);
            os.add(class.os(), cell);
        }
        if self.clicks > 0 {
            source.add(0, [self.clicks as u32, self.bots as u32]);
        }
    }

    /// Adds a link's closed fold to its workspace's; links come in ascending order.
    pub(super) fn absorb(&mut self, fold: &Self, link: u64) {
        self.clicks += fold.clicks;
        self.bots += fold.bots;
        self.spent += fold.spent;
        self.first = self.first.min(fold.first);
        self.last = self.last.max(fold.last);
        self.visitors.extend(&fold.visitors.hashes);
        self.robots.extend(&fold.robots.hashes);
        for (own, theirs) in self.cells.iter_mut().zip(&fold.cells) {
            theirs.iter().for_each(|(value, cell)| own.add(value, cell));
        }
        if self.links.last() != Some(&link) {
            self.links.push(link);
        }
        let [.., links] = &mut self.cells;
        links.add(self.links.len() as u32 - 1, [fold.clicks as u32, fold.bots as u32]);
    }

    /// Counts by link what was counted together; ascending.
    pub(super) fn by_link(&mut self, of_links: &[(u64, [u32; 2])]) {
        let Self { links, cells: [.., cells], .. } = self;
        for &(link, cell) in of_links {
            links.push(link);
            cells.add(links.len() as u32 - 1, cell);
        }
    }

    /// The cells of the dimension at `at`, and how its values are spelled.
    pub(super) fn dimension<'f>(
        &'f mut self,
        at: usize,
        words: &'f Dictionary,
    ) -> (&'f mut Cells, Values<'f>) {
        let values = match Dimension::ALL[at] {
            Dimension::Country => Values::Countries,
            Dimension::Device | Dimension::Browser | Dimension::Os => Values::Codes,
            Dimension::Referrer => Values::Texts(&words.referrers),
            Dimension::Language => Values::Texts(&words.languages),
            Dimension::Source => Values::Texts(&self.sources),
            Dimension::Rule => Values::Texts(&words.rules),
            Dimension::Link => Values::Links(&self.links),
        };
        (&mut self.cells[at], values)
    }

    /// Ready for the next bucket, once all cells were drained.
    pub(super) fn reset(&mut self) {
        (self.clicks, self.bots, self.spent) = (0, 0, 0);
        (self.first, self.last) = (i64::MAX, i64::MIN);
        self.links.clear();
        for crowd in [&mut self.visitors, &mut self.robots] {
            crowd.hashes.clear();
            crowd.sketch = None;
        }
    }
}

/// What the values of a dimension are, in a fold.
#[derive(Clone, Copy)]
pub(super) enum Values<'f> {
    /// The numbers of a closed vocabulary.
    Codes,
    /// Two letters.
    Countries,
    /// Numbers of texts.
    Texts(&'f Texts),
    /// Places in a list of link ids.
    Links(&'f [u64]),
}
