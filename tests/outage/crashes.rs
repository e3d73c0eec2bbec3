//! The database crashes under load, again and again: no redirect fails, and the clicks found are
//! the clicks sent.
//!
//! Three rounds by default; `OUTAGE_ROUNDS=20 cargo nextest run -p waypost-tests crashes
//! --no-capture` for more, and for the figures.

use std::{sync::atomic::Ordering, thread, time::Duration};

use super::world::World;

const ROUNDS: u64 = 3;
/// Names another number of rounds.
const VARIABLE: &str = "OUTAGE_ROUNDS";
const VISITORS: usize = 3;

#[test]
fn crashes_under_load() {
    let rounds = std::env::var(VARIABLE).map_or(ROUNDS, |rounds| rounds.parse().expect("a number"));
    let world = World::new();
    world.visited(VISITORS, || {
        for round in 0..rounds {
            // Each time at another moment of the clicks' way into the database.
            thread::sleep(Duration::from_millis(300 + 137 * round % 700));
            world.cluster.stop("immediate");
            thread::sleep(Duration::from_millis(200));
            world.start();
        }
    });
    println!("{rounds} crashes, {} redirects", world.visits.load(Ordering::Relaxed));
    world.check_well();
}
