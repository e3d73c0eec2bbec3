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

/// Callers that wait for their click.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// `GET /conversion.gif`
pub(super) fn conversion(call: &Call) -> Answer {
    let fields = call.fields()?;
    let text = fields.get("wp_click").ok_or_else(|| Fail::Missing {
        field: "wp_click".to_owned(),
        required: vec!["wp_click".to_owned()],
    })?;
    let click = uuid::Uuid::try_parse(text).ok().and_then(|id| ClickId::from_uuid(id.as_u128()));
    let click = click.ok_or_else(|| Fail::invalid("wp_click", "it names no click"))?;
    convert(call, click, fields.get("value"))?;
    Ok(reply::typed(200, "image/gif", GIF.to_vec()))
}

/// Counts it, waiting for a click that is on its way.
fn convert(call: &Call, click: ClickId, value: Option<&str>) -> Result<bool, Fault> {
    let service = call.service();
    let _place = Place::take();
    loop {
        let result = service.convert(click, value);
        let age = service.now().0.saturating_sub(click.received.0);
        let may_come = (0..FRESH).contains(&age) && WAITING.load(Relaxed) <= limits::WAITING;
        match result {
            Err(Fault::NotFound(_)) if may_come => thread::sleep(PAUSE),
            result => return result,
        }
    }
}

/// One of those who may wait, until it is dropped.
struct Place;

impl Place {
    fn take() -> Self {
        WAITING.fetch_add(1, Relaxed);
        Self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Relaxed);
    }
}
