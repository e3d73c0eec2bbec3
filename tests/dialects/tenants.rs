//! Two tenants, random calls: neither reads nor changes what is the other's.
//!
//! The calls are drawn from the server's own description (`/openapi.json`): any operation that needs a key, its
//! ids, codes and hostnames drawn from the caller's own objects, from the other's, and from nowhere. Everything
//! that a tenant writes carries its mark, which the other never sends: where it is answered to the other, it was
//! read across. The tenants take turns; all that the one at rest has is looked at before and after, and must be
//! the same to the byte.
//!
//! `TENANT_CALLS=100000 cargo nextest run -p waypost-tests tenants` makes that many calls;
//! `TENANT_SEED` draws others. A failure prints both.

mod calls;
mod tenant;

use std::collections::BTreeMap;

use fastrand::Rng;

use self::{calls::Calls, tenant::Tenant};
use super::contract::Contract;
use crate::support::{Answer, Client, Data, Server, free_port};

/// Calls where nothing else is asked for.
const CALLS: usize = 2_000;
/// How often the tenants change places.
const TURNS: usize = 8;
/// Calls after which a tenant looks at what it has.
const REFRESH: usize = 50;

/// A server, and what is counted about its answers.
struct Stage {
    data: Data,
    server: Server,
    client: Client,
    /// By operation: calls, and those that went well.
    made: BTreeMap<String, (usize, usize)>,
}

#[test]
fn tenants_are_alone() {
    let number = |name: &str, default| {
        std::env::var(name).map_or(default, |text| text.parse::<u64>().expect(name))
    };
    let (calls, seed) = (number("TENANT_CALLS", CALLS as u64), number("TENANT_SEED", 7));
    println!("TENANT_CALLS={calls} TENANT_SEED={seed}");
    let (mut stage, mut rng) = (Stage::new(), Rng::with_seed(seed));
    let generator = Calls::of(Contract::of(&stage.server));
    let mut tenants = ["alice", "bob"].map(|name| Tenant::new(&stage.data, name));
    for turn in 0..TURNS {
        let [alice, bob] = &mut tenants;
        let (active, resting) = if turn % 2 == 0 { (alice, bob) } else { (bob, alice) };
        resting.refresh(&mut stage);
        let before = resting.everything(&mut stage);
        for call in 0..usize::try_from(calls).expect("a number") / TURNS {
            if call % REFRESH == 0 {
                active.refresh(&mut stage);
            }
            one_call(&mut stage, &generator, &mut rng, (active, resting));
        }
        let after = resting.everything(&mut stage);
        for ((what, before), (_, after)) in before.iter().zip(&after) {
            assert_eq!(before, after, "{what} of {} has changed", resting.name);
        }
    }
    let never: Vec<_> = stage.made.iter().filter(|(_, (_, well))| *well == 0).collect();
    assert!(never.is_empty(), "these never went well: {never:?}");
    assert_eq!(stage.server.get("/healthz").status, 200);
    for (operation, (made, well)) in &stage.made {
        println!("{operation}: {made} calls, {well} went well");
    }
}

fn one_call(stage: &mut Stage, generator: &Calls, rng: &mut Rng, tenants: (&mut Tenant, &Tenant)) {
    let (active, resting) = tenants;
    let call = generator.draw(rng, active, resting);
    let answer = stage.ask(&call.request);
    let shown = || format!("{}\n\n{}\n{}", call.request, answer.head, answer.body);
    assert!(answer.status < 500, "{}", shown());
    for secret in [&resting.mark, &resting.token] {
        assert!(!answer.body.contains(secret) && !answer.head.contains(secret), "{}", shown());
    }
    let (made, well) = stage.made.entry(call.operation).or_default();
    *made += 1;
    if answer.status < 300 {
        *well += 1;
        active.learn(&answer.body);
    }
}

impl Stage {
    fn new() -> Self {
        let (data, port) = (Data::new(), free_port().to_string());
        let listen = format!("127.0.0.1:{port}");
        // Hostnames below `localhost` prove themselves: they lead here.
        let server = data.serve_with(
            &["--no-rate-limit", "--public-url", "https://yourdomain.com", "--listen", &listen],
            &[
                ("WAYPOST_ALLOW_PRIVATE_TARGETS", "true"),
                ("WAYPOST_DOMAIN_VERIFY_PORT", &port),
                // Calls come one after the other: none can share a commit.
                ("WAYPOST_COMMIT_INTERVAL_MS", "0"),
            ],
        );
        let client = Client::connect(server.address);
        Self { data, server, client, made: BTreeMap::new() }
    }

    /// One request on the connection that there is, or on a new one.
    fn ask(&mut self, request: &str) -> Answer {
        if let Some(answer) = self.client.send(request).answer() {
            return answer;
        }
        self.client = Client::connect(self.server.address);
        self.client.send(request).answer().unwrap_or_else(|| panic!("no answer to {request}"))
    }

    fn call(&mut self, method: &str, path: &str, token: &str) -> Answer {
        self.ask(&format!(
            "{method} {path} HTTP/1.1\r\nHost: yourdomain.com\r\nAuthorization: Bearer {token}\r\n\r\n"
        ))
    }
}
