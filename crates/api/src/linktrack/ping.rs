//! `/api/ping`: the server's name and its local time.

use crate::kit::{Answer, Call, reply, time};

/// `GET /api/ping`
pub(super) fn ping(call: &Call) -> Answer {
    let host = call.public_host();
    let now = time::offset_rfc3339(call.now(), call.utc_offset());
    Ok(reply::text(200, format!("{host} {now}")))
}
