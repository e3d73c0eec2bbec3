//! From a parsed head to the encoded answer a plain redirect allocates nothing: counted by an
//! allocator, in a process of its own.
#![forbid(unsafe_code)]

use std::{
    alloc::System,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use waypost_edge::{Blocking, Edge, Mounted, Readings, Settings};
use waypost_h1::{
    BodyPolicy, Conversation, Handler, Head, Limits, Outcome, Preview, Reply, Request,
};
use waypost_index::Index;
use waypost_link::*;
use waypost_redirect::Engine;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The edge, and what it allocated.
struct Counted {
    inner: Mounted,
    requests: AtomicUsize,
    allocations: AtomicUsize,
    reallocations: AtomicUsize,
}

impl Handler for Counted {
    fn body(&self, head: &Head<'_>) -> BodyPolicy {
        self.inner.body(head)
    }

    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) -> Outcome {
        let region = Region::new(ALLOCATOR);
        let outcome = self.inner.handle(request, reply);
        let change = region.change();
        self.requests.fetch_add(1, Relaxed);
        self.allocations.fetch_add(change.allocations + change.deallocations, Relaxed);
        self.reallocations.fetch_add(change.reallocations, Relaxed);
        outcome
    }
}

struct Never;

impl Blocking for Never {
    fn submit(&self, _: Box<dyn FnOnce() + Send>) -> bool {
        false
    }

    fn verify(&self, _: &str, _: &str) -> bool {
        false
    }

    fn figures(&self, _: LinkId, _: WorkspaceId) -> Option<waypost_edge::Figures> {
        None
    }

    fn picture(&self, _: &str) -> Option<Vec<u8>> {
        None
    }
}

fn edge() -> (Mounted, waypost_clicks::Drain) {
    let index = Arc::new(Index::new());
    let to = Destination::parse("https://example.com/a?b=1", &Schemes::default()).unwrap();
    let slug = Slug::parse("plain").unwrap();
    let mut link = Link::new(WorkspaceId(1), DomainId::DEFAULT, slug, to, Timestamp(0));
    (link.id, link.version) = (LinkId(1), 1);
    index.apply(Revision(1), &[Change::CreateLink(Box::new(link))]);
    let (recorder, drain) = waypost_clicks::queue(1, 16 << 20);
    let engine = Engine::new(index, recorder, waypost_redirect::Settings::default());
    let settings = Settings {
        country_header: Some("CF-IPCountry".to_owned()),
        sandboxed: false,
        blocking: Arc::new(Never),
        readings: Box::new(Readings::default),
    };
    (Edge::new(Arc::new(engine), settings).mount(true, true), drain)
}

#[test]
fn a_redirect_allocates_nothing() {
    let (inner, mut drain) = edge();
    let counted = Counted {
        inner,
        requests: AtomicUsize::new(0),
        allocations: AtomicUsize::new(0),
        reallocations: AtomicUsize::new(0),
    };
    let mut conversation = Conversation::new(counted, Limits::default());
    let request = "GET /plain?x=1 HTTP/1.1\r\nHost: go.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n\
                   Accept: text/html\r\nAccept-Language: de-DE,de;q=0.9\r\nReferer: https://news.example/\r\n\
                   X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\nCF-IPCountry: DE\r\n\r\n";
    conversation.feed(request.repeat(64).as_bytes());
    let (before, buffer) = {
        let counted = conversation.handler();
        (counted.allocations.load(Relaxed), counted.reallocations.load(Relaxed))
    };
    let answers = conversation.feed(request.repeat(64).as_bytes());
    let counted = conversation.handler();
    assert_eq!(answers.windows(10).filter(|bytes| bytes == b"302 Found\r").count(), 64);
    assert_eq!(counted.requests.load(Relaxed), 128);
    let region = Region::new(ALLOCATOR);
    counted.inner.prefetch(&[Preview { path: "/plain", host: b"go.example" }; 2]);
    assert_eq!(region.change().allocations, 0, "prefetching");
    // The first answer of a batch makes the output buffer, which then doubles as it grows.
    assert_eq!(counted.allocations.load(Relaxed) - before, 1);
    assert!(counted.reallocations.load(Relaxed) - buffer <= 12);
    assert_eq!(drain.take(|_| {}), 128);
}
