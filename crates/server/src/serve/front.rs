//! The handler of a listener: the APIs' paths go to the APIs, all others to the edge.

use waypost_api::Mounted as Apis;
use waypost_edge::Mounted as Edge;
use waypost_h1::{BodyPolicy, Handler, Head, Outcome, Preview, Refusal, Reply, Request};

/// Both, on one listener.
pub(super) struct Front {
    pub(super) apis: Apis,
    pub(super) edge: Edge,
}

impl Front {
    #[inline]
    fn pick(&self, path: &str) -> &dyn Handler {
        if self.apis.claims(path) { &self.apis } else { &self.edge }
    }
}

impl Handler for Front {
    fn body(&self, head: &Head<'_>) -> BodyPolicy {
        self.pick(head.path()).body(head)
    }

    #[inline]
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) -> Outcome {
        // Not by `pick`: redirects are answered without a virtual call.
        if self.apis.claims(request.path()) {
            return self.apis.handle(request, reply);
        }
        self.edge.handle(request, reply)
    }

    fn prefetch(&self, coming: &[Preview<'_>]) {
        self.edge.prefetch(coming);
    }

    fn refuse(&self, head: &Head<'_>, why: Refusal, reply: Reply<'_>) -> Outcome {
        self.pick(head.path()).refuse(head, why, reply)
    }
}
