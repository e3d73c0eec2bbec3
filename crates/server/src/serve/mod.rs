//! `waypost serve`: opens the store, starts the engine, mounts it, and stops in good order.
//!
//! The order matters. Everything that can be refused (configuration, store, lock, addresses) is
//! refused before a thread starts; OS threads start before the coroutine scheduler; on the way
//! down connections end first, then clicks are drained, and only then the store is let go.

mod apis;
mod banner;
mod countries;
mod front;
mod inbox;
mod logging;
mod signals;
mod visitors;

use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Args;
use waypost::{ClickOptions, Options, Vitals, Waypost, fleet::Leases};
use waypost_api::Api;
use waypost_edge::{Edge, Readings, Ready};
use waypost_h1::{Bound, PerIp, Runtime, Server};
use waypost_redirect::Countries;
use waypost_service::Lane;

use self::visitors::{Lending, Visitors};
use crate::{
    config::{Config, StoreUrl},
    context::{Context, find_store, now, service},
    limits::{LENDING_LANE, VISITORS_LANE},
    outside::{SmtpMailer, alerts},
    rounds::Rounds,
};

/// Flags of `waypost serve`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Address that serves redirects; may be repeated
    #[arg(long, value_name = "ADDR")]
    listen: Vec<String>,
    /// Address of the APIs and of metrics; when given they live only there
    #[arg(long, value_name = "ADDR")]
    admin_listen: Option<String>,
    /// What short links begin with
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Threads that serve connections
    #[arg(long, value_name = "N")]
    workers: Option<String>,
    /// Switch the rate limits of the APIs off
    #[arg(long)]
    no_rate_limit: bool,
}

impl Arguments {
    fn layer(&self) -> Vec<(&'static str, Vec<String>)> {
        let one = |name, value: &Option<String>| value.clone().map(|value| (name, vec![value]));
        let listen = (!self.listen.is_empty()).then(|| ("listen", self.listen.clone()));
        let no_limit = self.no_rate_limit.then(|| ("no_rate_limit", vec!["true".to_owned()]));
        let others = [
            one("admin_listen", &self.admin_listen),
            one("public_url", &self.public_url),
            one("workers", &self.workers),
        ];
        listen.into_iter().chain(others.into_iter().flatten()).chain(no_limit).collect()
    }
}

/// Serves until a signal comes.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let config = context.config(arguments.layer())?;
    logging::start(&config.log)?;
    let signals = signals::Signals::catch()?;
    let (store, snapshot) = find_store(&config)?;
    let countries = countries::open(config.geoip_db.as_deref())?;
    let options = Options { snapshot, ..options(&config, countries.clone())? };
    let waypost = Waypost::start(store.clone(), options)?;
    // Where there is a snapshot to start from, there was a first key.
    let known = waypost.vitals().on_snapshot();
    let first = if known { None } else { banner::first_key(&service(&config, &store))? };
    let bound = bind(&config)?;
    let visitors = visitors(&config, &store, &waypost)?;
    let apis = apis::start(&config, &store, countries.clone(), &waypost)?;
    let servers = serve(bound, &config, &waypost, Arc::new(visitors), &apis)?;
    banner::show(&config, &servers, first.as_ref());
    let (alerts, inbox) = (alerts(&config, &store)?, inbox(&config, &store, countries)?);
    signals.wait();
    stop(servers, &config, &signals);
    waypost.close();
    drop((alerts, inbox));
    tracing::info!("stopped");
    Ok(())
}

fn visitors(config: &Config, store: &waypost::Store, waypost: &Waypost) -> Result<Visitors> {
    let lend = |leases: &Arc<Leases>| {
        let lane = Lane::start(LENDING_LANE.0, LENDING_LANE.1)?;
        std::io::Result::Ok(Lending { lane, leases: Arc::clone(leases) })
    };
    Ok(Visitors {
        lane: Lane::start(VISITORS_LANE.0, VISITORS_LANE.1)?,
        lending: waypost.leases().map(lend).transpose()?,
        service: service(config, store),
        media: config.media(),
    })
}

/// The thread that mails alerts, where there is a mail server.
fn alerts(config: &Config, store: &waypost::Store) -> Result<Option<Rounds>> {
    let start = |mailer: &SmtpMailer| alerts::start(service(config, store), mailer.clone());
    Ok(config.mailer.as_ref().map(start).transpose()?)
}

/// The thread that counts what other programs insert, where they can.
fn inbox(
    config: &Config,
    store: &waypost::Store,
    countries: Option<Arc<dyn Countries>>,
) -> Result<Option<Rounds>> {
    let StoreUrl::Postgres(_) = config.store else { return Ok(None) };
    Ok(Some(inbox::start(service(config, store).and_countries(countries))?))
}

fn options(config: &Config, countries: Option<Arc<dyn Countries>>) -> Result<Options> {
    Ok(Options {
        dir: config.data.clone(),
        engine: waypost_redirect::Settings {
            trusted_proxies: config.trusted_proxies.clone(),
            own_hosts: config.own_hosts.clone(),
            strict_hosts: config.strict_hosts,
            countries: countries.map(|known| Box::new(known) as _),
        },
        clicks: ClickOptions {
            lanes: lanes(config),
            queue_bytes: usize::try_from(config.click_queue)?,
            flush: config.click_flush,
            sync: config.click_sync,
            journal_max_bytes: config.journal_max_bytes,
            ip: config.click_ip,
        },
        retention_days: config.click_retention_days,
        now,
        ..Options::new(&config.data)
    })
}

/// Click lanes: one a worker, and one for threads that check passwords.
fn lanes(config: &Config) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    1 + if config.workers == 0 { cores } else { config.workers }
}

/// The listeners: of redirects, and of metrics where they have their own.
struct Listeners {
    public: Bound,
    admin: Option<Bound>,
}

fn bind(config: &Config) -> Result<Listeners> {
    let mut public = settings(config);
    for &address in &config.listen {
        public = if config.proxy_protocol.contains(&address) {
            public.listen_proxied(address)
        } else {
            public.listen(address)
        };
    }
    let admin = config.admin_listen.map(|address| settings(config).listen(address).bind());
    Ok(Listeners { public: public.bind()?, admin: admin.transpose()? })
}

fn settings(config: &Config) -> waypost_h1::ServerBuilder {
    let runtime = Runtime {
        workers: config.workers,
        io_uring: config.io_uring,
        stack_words: usize::try_from(config.stack_bytes / 8).unwrap_or(0x1000) & !1,
        ..Runtime::default()
    };
    let mut builder = Server::builder().limits(config.limits.clone()).runtime(runtime);
    builder = builder.backlog(i32::try_from(config.backlog).unwrap_or(i32::MAX));
    if config.max_connections > 0 {
        builder = builder.max_connections(config.max_connections);
    }
    if let Some(most) = u32::try_from(config.max_connections_per_ip).ok().filter(|most| *most > 0) {
        let trusted = config.trusted_proxies.clone();
        let exempt = move |ip| trusted.iter().any(|net| net.contains(&ip));
        builder = builder.per_ip(PerIp::new(most, exempt));
    }
    builder
}

/// The servers that run, the public one first.
pub(super) struct Servers {
    public: Server,
    admin: Option<Server>,
}

fn serve(
    bound: Listeners,
    config: &Config,
    waypost: &Waypost,
    visitors: Arc<Visitors>,
    apis: &Arc<Api>,
) -> Result<Servers> {
    let counters = Arc::new(std::sync::OnceLock::new());
    let edge = Edge::new(
        Arc::clone(waypost.engine()),
        waypost_edge::Settings {
            country_header: config.country_header.clone(),
            sandboxed: config.admin_listen.is_none(),
            blocking: visitors,
            readings: readings(waypost, Arc::clone(apis), Arc::clone(&counters)),
        },
    );
    let alone = bound.admin.is_none();
    let front = |redirects, admin| front::Front {
        apis: apis.mount(redirects, admin),
        edge: edge.mount(redirects, admin),
    };
    let public = bound.public.serve(front(true, alone)).context("can't serve")?;
    let admin = bound.admin.map(|admin| admin.serve(front(false, true))).transpose()?;
    // The first reader may come before this; it sees zeros.
    let _ = counters.set(public.metrics());
    Ok(Servers { public, admin })
}

fn readings(
    waypost: &Waypost,
    apis: Arc<Api>,
    server: Arc<std::sync::OnceLock<waypost_h1::Metrics>>,
) -> Box<dyn Fn() -> Readings + Send + Sync> {
    let vitals = waypost.vitals();
    Box::new(move || {
        let (index, clicks) = (vitals.index(), vitals.clicks());
        let load =
            |of: fn(&waypost_h1::Counters) -> u64| server.get().map_or(0, |metrics| of(metrics));
        use std::sync::atomic::Ordering::Relaxed;
        Readings {
            clicks_recorded: clicks.recorded,
            clicks_dropped: clicks.dropped,
            queue_depth: clicks.depth,
            journal_lag: clicks.lag,
            index_links: index.links as u64,
            index_bytes: index.bytes as u64,
            index_age: vitals.index_age(),
            index_repairs: vitals.index_repairs(),
            connections: load(|counters| counters.open.load(Relaxed)),
            requests: load(|counters| counters.requests.load(Relaxed)),
            panics: load(|counters| counters.panics.load(Relaxed)),
            store_errors: vitals.store_errors(),
            http_requests: apis::requests(&apis),
            ready: ready(&vitals),
        }
    })
}

/// What `/readyz` says.
fn ready(vitals: &Vitals) -> Ready {
    match (vitals.store_answers(), vitals.on_snapshot()) {
        (true, _) if vitals.store_refuses() => Ready::ReadOnly,
        (true, _) => Ready::Whole,
        (false, true) => Ready::OnSnapshot,
        (false, false) => Ready::Away,
    }
}

/// Lets requests finish; a second signal cuts what is left.
fn stop(servers: Servers, config: &Config, signals: &signals::Signals) {
    tracing::info!("stopping: no new connections, requests may finish");
    let stopper = servers.public.stopper();
    signals.on_next(move || stopper.stop_now());
    let drained = servers.public.drain(config.drain_timeout);
    if drained.cut > 0 {
        tracing::warn!(connections = drained.cut, "connections were cut");
    }
    if let Some(admin) = servers.admin {
        let _ = admin.drain(std::time::Duration::from_millis(200));
    }
}
