//! Counting raw clicks without telling them: what the edges of a rolling window need.
//!
//! The same hours, runs and blocks are looked through as for a page, but of a click only its user
//! agent is looked up, and each of those once.

use std::ops::Range;

use hashbrown::HashMap;
use heed::RoTxn;
use waypost_link::Timestamp;
use waypost_storage::{ClickQuery, ClickScope, Order, Result, Window};

use super::{
    Clicks, bucket,
    dictionary::Class,
    events,
    generation::Generation,
    pages::{self, Hours, Next},
    raw::{self, Found, Gather, Position, Source, Wanted},
    search::Hour,
    stored::{self, Click, TextKind},
};
use crate::fault::Tried;

/// How many raw clicks there are of `scope` in `range`.
pub(super) fn count(
    clicks: &Clicks,
    scope: ClickScope,
    range: &Range<Timestamp>,
) -> Result<Window> {
    let wanted = wanted(scope, range);
    if wanted.first > wanted.last {
        return Ok(Window::default());
    }
    clicks.view(
        |generations, purged| {
            let gone = matches!(scope, ClickScope::Link(link) if purged.contains(link.0));
            (in_memory(generations, &wanted), gone, purged.unfinished.clone())
        },
        |(memory, gone, unfinished), tables, txn| {
            if gone {
                return Ok(Window::default());
            }
            let mut wanted = wanted;
            let row = raw::owner_of(tables, txn, &mut wanted)?;
            let rolled = stored::rolled(tables, txn)?;
            let mut hours = Hours::of(tables, txn, &wanted, row.as_ref(), rolled)?;
            let mut sum = Sum { tables, txn, window: memory, agents: HashMap::new() };
            loop {
                match hours.next()? {
                    Next::Bucket(hour, value) => {
                        let search = Hour { tables, txn, hour, wanted: &wanted, gone: &unfinished };
                        search.search(&bucket::head(value)?.1, &mut sum)?;
                    }
                    Next::Enough(_) => hours.go_on(),
                    Next::End => return Ok(sum.window),
                }
            }
        },
    )
}

fn wanted(scope: ClickScope, range: &Range<Timestamp>) -> Wanted {
    let (from, before) = (Some(range.start), Some(range.end));
    let (order, after, limit) = (Order::Ascending, None, 0);
    let query = ClickQuery { scope, from, before, order, after, limit };
    Wanted { enough: usize::MAX, ..pages::wanted(&query, None, limit) }
}

fn in_memory(generations: &[&Generation], wanted: &Wanted) -> Window {
    let mut window = Window::default();
    for generation in generations {
        wanted.visit(generation, |place, records| {
            for record in records {
                let position = Position::of_redirect(record.at, place.link, record.salt());
                if wanted.holds(&position) {
                    window.clicks += 1;
                    window.bots += u64::from(record.class.is_bot());
                }
            }
        });
    }
    window
}

/// What was counted so far.
struct Sum<'s, 'x> {
    tables: &'s Click,
    txn: &'s RoTxn<'x>,
    window: Window,
    /// By run and number, whether a user agent is a bot's.
    agents: HashMap<(u32, u32), bool>,
}

impl Sum<'_, '_> {
    fn is_bot(&mut self, run: u32, agent: u32) -> Tried<bool> {
        if let Some(&bot) = self.agents.get(&(run, agent)) {
            return Ok(bot);
        }
        let (_, class) = stored::text(self.tables, self.txn, run, TextKind::Agent, agent)?;
        let bot = Class(class).is_bot();
        self.agents.insert((run, agent), bot);
        Ok(bot)
    }
}

impl Gather<Source<'_>> for Sum<'_, '_> {
    fn push(&mut self, found: Found<Source<'_>>) -> Tried<()> {
        let bot = match found.source {
            Source::Memory(click) => click.bot,
            Source::Event(value) => events::decode(found.position, value)?.bot,
            Source::Block { run, raw, .. } => self.is_bot(run, raw.agent)?,
        };
        self.window.clicks += 1;
        self.window.bots += u64::from(bot);
        Ok(())
    }

    fn bound(&mut self) -> Option<i64> {
        None
    }
}
