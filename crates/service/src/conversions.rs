//! Conversions: what a click led to, counted once a click.

use waypost_link::{ClickId, Flags};
use waypost_storage::{Conversion, Event, Recorded};

use crate::{Fault, Result, Service, limits};

impl Service {
    /// Counts the conversion of a click, worth `value` as its sender puts it; false where that
    /// click has converted before.
    ///
    /// # Errors
    /// [`Fault::NotFound`] where no link that tracks conversions had that click, [`Fault::Invalid`]
    /// (`value`), [`Fault::Store`].
    pub fn convert(&self, click: ClickId, value: Option<&str>) -> Result<bool> {
        let value = value.filter(|value| !value.is_empty());
        if value.is_some_and(|value| value.len() > limits::CONVERSION_VALUE) {
            return Err(Fault::invalid("value", "a value has at most 64 bytes"));
        }
        let lost = || Fault::NotFound("click".to_owned());
        let link = self.store.link(click.link)?.ok_or_else(lost)?;
        if !link.flags.has(Flags::CONVERSION_TRACKING) {
            return Err(lost());
        }
        let (workspace, at) = (link.workspace, (self.now)());
        let conversion = Conversion { click, workspace, at, value: value.map(str::to_owned) };
        match self.clicks.record(&[Event::Conversion(conversion)])?.first() {
            Some(Recorded::Stored(_)) => Ok(true),
            Some(Recorded::Duplicate(_)) => Ok(false),
            Some(Recorded::Unknown) | None => Err(lost()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{click, click_id, link, link_with, service};

    #[test]
    fn a_click_converts_once() {
        let (service, workspace) = service();
        let tracked = link_with(&service, workspace, "a", |link| {
            link.flags = link.flags.with(Flags::CONVERSION_TRACKING, true);
            Ok(())
        });
        let plain = link(&service, workspace, "b");
        click(&service, &tracked, 1);
        let first = click_id(tracked.id, 0);
        click(&service, &plain, 1);
        let lost = Err(Fault::NotFound("click".to_owned()));
        for (id, value, result) in [
            (first, Some("9.90"), Ok(true)),
            (first, None, Ok(false)),
            (click_id(tracked.id, 7), None, lost.clone()),
            (click_id(plain.id, 0), None, lost),
        ] {
            assert_eq!(service.convert(id, value), result, "{id:?}");
        }
        let long = service.convert(first, Some(&"9".repeat(65)));
        assert!(matches!(long, Err(Fault::Invalid { field: "value", .. })), "{long:?}");
        assert_eq!(service.clicks.totals(&[tracked.id]).unwrap()[0].conversions, 1);
    }
}
