//! What visitors wait for in the lane: passwords checked, clicks counted for public pages, pictures read.

use std::{path::PathBuf, sync::Arc, time::Instant};

use waypost::fleet::Leases;
use waypost_edge::{Blocking, Count, Figures};
use waypost_link::{LinkId, Timestamp, WorkspaceId};
use waypost_service::{Days, Dimension, Fault, Lane, Result, Service, Subject, verify_password};

use crate::exchange::print_time;

/// The lane and the store as the edge sees them.
pub(super) struct Visitors {
    /// Where jobs run.
    pub(super) lane: Lane,
    /// Where those run that have clicks lent, where nodes share the store.
    pub(super) lending: Option<Lending>,
    /// What figures are asked of.
    pub(super) service: Service,
    /// Where pictures are.
    pub(super) media: PathBuf,
}

/// Threads that wait for clicks to be lent, and who lends them.
pub(super) struct Lending {
    pub(super) lane: Lane,
    pub(super) leases: Arc<Leases>,
}

impl Blocking for Visitors {
    fn submit(&self, job: Box<dyn FnOnce() + Send>) -> bool {
        self.lane.submit(job).is_ok()
    }

    fn verify(&self, password: &str, hash: &str) -> bool {
        verify_password(password, hash)
    }

    fn submit_lending(&self, job: Box<dyn FnOnce() + Send>) -> bool {
        self.lending.as_ref().is_some_and(|lending| lending.lane.submit(job).is_ok())
    }

    fn lend(&self, link: LinkId, until: Instant) -> bool {
        self.lending.as_ref().is_some_and(|lending| lending.leases.lend(link, until))
    }

    fn figures(&self, link: LinkId, workspace: WorkspaceId) -> Option<Figures> {
        let figures = figures(&self.service, link, workspace);
        figures.inspect_err(|error| tracing::warn!(%error, "no public statistics")).ok()
    }

    fn picture(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read(self.media.join(name)).ok()
    }
}

fn figures(service: &Service, id: LinkId, workspace: WorkspaceId) -> Result<Figures> {
    let link = service.store().link(id)?;
    let link = link.ok_or_else(|| Fault::NotFound(format!("link {id}")))?;
    let days = Days::last(Figures::DAYS, service.now());
    let all = service.stats(workspace)?.all_time(&Subject::Link(id), days)?;
    let top = |dimension, nameless| {
        let parts = all.top(dimension, Figures::ROWS, nameless).into_iter();
        parts.map(|part| Count { name: part.name, clicks: part.clicks }).collect()
    };
    Ok(Figures {
        title: link.title.unwrap_or_default(),
        clicks: all.clicks,
        visitors: all.unique,
        days: all
            .by_day
            .iter()
            .map(|day| Count { name: date(day.day), clicks: day.count })
            .collect(),
        countries: top(Dimension::Country, "Unknown"),
        referrers: top(Dimension::Referrer, "Direct"),
        browsers: top(Dimension::Browser, "Unknown"),
        devices: top(Dimension::Device, "Unknown"),
    })
}

/// `YYYY-MM-DD` of a UTC day.
fn date(day: i64) -> String {
    let midnight = print_time(Timestamp(day.saturating_mul(Timestamp::DAY)));
    midnight.split('T').next().unwrap_or_default().to_owned()
}
