//! Resolve and record without any server: `cargo run -p waypost --example plain`.
//!
//! Makes a link in a directory of its own, asks for it three times, and prints what the store has
//! counted.

use std::time::Duration;

use waypost::{
    Answer, Facts, LmdbOptions, Options, Scratch, Store, Waypost,
    link::{Change, Destination, DomainId, Link, LinkId, Schemes, Slug, WorkspaceId},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::temp_dir().join(format!("waypost-plain-{}", std::process::id()));
    let options = Options::new(&dir);
    let (store, now) = (Store::lmdb(&dir, &LmdbOptions::default())?, options.now);

    let to = Destination::parse("https://example.com/", &Schemes::default())?;
    let link = Link::new(WorkspaceId(1), DomainId::DEFAULT, Slug::parse("hi")?, to, now());
    let made = store.links.commit(&[Change::CreateLink(Box::new(link))], now())?;

    let waypost = Waypost::start(store.clone(), options)?;
    let mut scratch = Scratch::default();
    for path in ["/hi", "/hi", "/ho"] {
        let facts = Facts {
            host: b"localhost",
            path,
            user_agent: b"an example",
            at: now(),
            ..Facts::default()
        };
        match waypost.engine().decide(&facts, &mut scratch) {
            Answer::Redirect(to) => println!("{path} → {} {}", to.status, to.location),
            other => println!("{path} → {}", other.outcome()),
        }
    }

    waypost.settle(Duration::from_secs(10));
    let totals = store.clicks.totals(&[LinkId(made.ids[0])])?;
    println!("{} clicks", totals[0].clicks);
    waypost.close();
    drop((waypost, store));
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}
