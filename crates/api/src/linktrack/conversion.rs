//! `/conversion.gif`: an image of one pixel that says that a click led to something.
//!
//! A click is known once it has left the journal, a moment after its redirect. A conversion that
//! comes sooner is tried again until then, by a few callers at a time: a made-up click
//! would otherwise hold up a thread for as long as its sender likes.

use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
    time::Duration,
};

use waypost_link::{ClickId, Timestamp};
use waypost_service::Fault;

use crate::{
    kit::{Answer, Call, Fail, reply},
    limits,
};

/// A transparent pixel (GIF89a).
const GIF: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// How long a click may take to be known, in microseconds.
const FRESH: i64 = 2 * Timestamp::SECOND;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Callers that wait for their click. Those whose click is known, or can't come any more, don't count.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// `GET /conversion.gif`
pub(super) fn conversion(call: &Call) -> Answer {
    let fields = call.fields()?;
    let text = fields.get("wp_click").ok_or_else(|| Fail::missing("wp_click"))?;
    let click = uuid::Uuid::try_parse(text).ok().and_then(|id| ClickId::from_uuid(id.as_u128()));
    let click = click.ok_or_else(|| Fail::invalid("wp_click", "it names no click"))?;
    convert(call, click, fields.get("value"))?;
    Ok(reply::typed(200, "image/gif", GIF.to_vec()))
}

/// Counts it, waiting for a click that is on its way.
fn convert(call: &Call, click: ClickId, value: Option<&str>) -> Result<bool, Fault> {
    let service = call.service();
    let mut place = None;
    loop {
        let result = service.convert(click, value);
        let age = service.now().0.saturating_sub(click.received.0);
        let may_come = matches!(result, Err(Fault::NotFound(_))) && (0..FRESH).contains(&age);
        if may_come && place.is_none() {
            place = Place::take();
        }
        if !may_come || place.is_none() {
            return result;
        }
        thread::sleep(PAUSE);
    }
}

/// One of those who may wait, until it is dropped.
struct Place;

impl Place {
    /// A place, where one is free.
    fn take() -> Option<Self> {
        let one_more = |waiting| (waiting < limits::WAITING).then_some(waiting + 1);
        WAITING.fetch_update(Relaxed, Relaxed, one_more).ok().map(|_| Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_may_wait() {
        let mut places: Vec<_> = (0..limits::WAITING).map(|_| Place::take()).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(Place::take().is_none());
        places.pop();
        assert!(Place::take().is_some(), "the one that was given back");
        assert!(Place::take().is_some(), "and again");
    }
}
