//! The APIs, by the configuration: use cases that wait for the index, rate limits, threads of their own.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use waypost::Waypost;
use waypost_api::Api;
use waypost_redirect::Countries;
use waypost_service::{Allowance, Lane, Quota, Rate};

use crate::{
    config::{Config, Rates},
    context::service,
    limits::API_LANE,
};

/// How long a write waits until this node serves it; it is durable by then whatever happens.
const APPLIED: Duration = Duration::from_secs(5);

/// The APIs over `store`; a write is answered once the index has it.
pub(super) fn start(
    config: &Config,
    store: &waypost::Store,
    countries: Option<Arc<dyn Countries>>,
    waypost: &Waypost,
) -> Result<Arc<Api>> {
    let applied = Arc::clone(waypost.applied());
    let wait = move |revision| {
        if !applied.wait(revision, APPLIED) {
            tracing::warn!(%revision, "the index is behind; a write was answered before it is served");
        }
    };
    Ok(Api::new(waypost_api::Settings {
        service: service(config, store).and_wait(Arc::new(wait)).and_countries(countries),
        quota: config.rates.map(quota),
        trusted_proxies: config.trusted_proxies.clone(),
        utc_offset: config.linktrack_utc_offset,
        lane: Lane::start(API_LANE.0, API_LANE.1)?,
    }))
}

fn quota(rates: Rates) -> Quota {
    Quota::new(|rate| {
        let requests = match rate {
            Rate::Clicks => rates.clicks,
            Rate::Analytics => rates.analytics,
            Rate::Creation => rates.creation,
            Rate::Linkpack => rates.linkpack,
        };
        Allowance { requests, ..rate.documented() }
    })
}

/// What `/metrics` shows of them.
pub(super) fn requests(apis: &Api) -> Vec<(&'static str, u16, u64)> {
    apis.counts().into_iter().map(|count| (count.dialect, count.code, count.requests)).collect()
}
