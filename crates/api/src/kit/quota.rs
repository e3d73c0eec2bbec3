//! A dialect's rate limits, and the headers that tell how they stand (SPEC 4).

use waypost_h1::Response;
use waypost_service::{Caller, Rate, Standing};

use super::{Call, Fail};

/// Counts a call against the limit of its route; `None` where there is none.
pub(crate) fn spend(call: &Call) -> Result<Option<Standing>, Fail> {
    let (Some(rate), Some(quota)) = (call.route().rate, call.quota()) else { return Ok(None) };
    let caller = match (rate, call.principal()) {
        (Rate::Clicks, _) | (_, Err(_)) => Caller::Address(call.client().ip),
        (_, Ok(principal)) => Caller::Key(principal.key),
    };
    let standing = quota.spend(rate, caller, call.now());
    if standing.allowed { Ok(Some(standing)) } else { Err(Fail::TooMany(standing)) }
}

/// `X-RateLimit-*`; the reset in Unix seconds, rounded up.
pub(crate) fn headers(response: Response, standing: &Standing) -> Response {
    let reset = standing.full_at.plus(999_999).seconds();
    response
        .header("X-RateLimit-Limit", standing.allowance.requests.to_string())
        .header("X-RateLimit-Remaining", standing.remaining.to_string())
        .header("X-RateLimit-Reset", reset.to_string())
}
