//! How each dialect makes a link, and how it says that the store is away.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::world::World;
use crate::support::{Answer, Data, exchange};

/// The owner's token.
pub(super) const TOKEN: &str = "wp_0123456789abcdefghijklmn";

/// Within which an API says that the store is away.
const PATIENCE: Duration = Duration::from_secs(10);

struct Call {
    name: &'static str,
    /// `{token}` and `{workspace}` are put in.
    request: &'static str,
    body: &'static str,
    /// The answer's body.
    says: &'static str,
}

const CALLS: &[Call] = &[
    Call {
        name: "golinks",
        request: "POST /api/links",
        body: r#"{"destination_url": "https://example.com/"}"#,
        says: "unavailable",
    },
    Call {
        name: "linkpack",
        request: "POST /api/v1/shorten",
        body: r#"{"longUrl": "https://example.com/"}"#,
        says: "Service unavailable",
    },
    Call {
        name: "linktrack",
        request: "GET /api/v1_0/makeLink?login=admin&pass={token}&external_url=https://example.com/",
        body: "",
        says: "Error: Service unavailable",
    },
    Call {
        name: "tracking",
        request: "POST /api/link-tracking/create",
        body: r#"{"original_url": "https://example.com/", "link_function": "x"}"#,
        says: "Service unavailable",
    },
    Call {
        name: "workspace",
        request: "POST /api/v1/workspace/{workspace}/tracking-links",
        body: r#"{"type": "vcard", "name": "x", "destinationSlug": "x", "baseUrl": "https://example.com/"}"#,
        says: "Service Unavailable",
    },
];

impl Call {
    fn answer(&self, world: &World, workspace: &str) -> Answer {
        let request = self.request.replace("{token}", TOKEN).replace("{workspace}", workspace);
        let request = format!(
            "{request} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
            self.body.len(),
            self.body
        );
        exchange(world.server.address, request).expect("an answer")
    }

    /// How long the refusal took.
    fn check(&self, world: &World, workspace: &str) -> Duration {
        let begun = Instant::now();
        let answer = self.answer(world, workspace);
        let (took, name) = (begun.elapsed(), self.name);
        assert_eq!(answer.status, 503, "{name}: {}", answer.body);
        assert_eq!(answer.field("retry-after"), Some("1"), "{name}");
        assert!(answer.body.contains(self.says), "{name}: {}", answer.body);
        assert!(took < PATIENCE, "{name}: {took:?}");
        took
    }
}

/// Every dialect refuses to make a link, all at once.
pub(super) fn check_refused(world: &World, workspace: &str) {
    thread::scope(|scope| {
        let calls: Vec<_> =
            CALLS.iter().map(|call| scope.spawn(|| call.check(world, workspace))).collect();
        let slowest = calls.into_iter().map(|call| call.join().expect("a refusal")).max();
        println!("the slowest refusal: {:?}", slowest.unwrap_or_default());
    });
}

/// Makes links, and ever more, until that is refused; fails where it never is.
pub(super) fn make_all(world: &World, most: usize) {
    let refused = |_| CALLS[0].answer(world, "").status != 200;
    assert!((0..most).any(refused), "there is room for everything");
}

/// The id of the only workspace; asked for while the database is there.
pub(super) fn workspace(data: &Data) -> String {
    let list = data.ok(&["workspace", "list", "--json"]);
    let list: Value = serde_json::from_str(&list).expect("JSON");
    let id = &list[0]["workspace_id"];
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}
