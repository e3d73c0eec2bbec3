//! Clicks that others report.

use std::net::IpAddr;

use uuid::Uuid;
use waypost_h1::Field;
use waypost_service::ReportedClick;

use super::{
    find, unknown,
    wire::{NewClick, Recorded},
};
use crate::kit::{Answer, Call, Fail, reply, time};

/// `POST /api/link-tracking/record-click`: 201 only once the click is stored.
pub(super) fn record(call: &Call) -> Answer {
    let new: NewClick = call.json()?;
    let service = call.service();
    let click = new.reported(call)?;
    let link = find(service, call.principal()?.workspace, &new.tracking_id)?;
    let once = call.idempotency()?;
    let id = service.record_click(&link, &click, once.as_ref());
    let id = id.map_err(|fault| unknown(fault, &new.tracking_id))?;
    reply::json(
        201,
        &Recorded {
            click_id: Uuid::from_u128(id.to_uuid()).to_string(),
            tracking_id: new.tracking_id,
            clicked_at: time::rfc3339(click.clicked_at),
            click_source: click.source,
            status: "recorded",
        },
    )
}

impl NewClick {
    /// What is reported. What the body doesn't say of address and referrer, headers may: of the
    /// visitor, never of the caller itself.
    fn reported(&self, call: &Call) -> Result<ReportedClick, Fail> {
        let clicked_at = time::parse(&self.clicked_at)
            .ok_or_else(|| Fail::invalid("clicked_at", "expected an RFC 3339 time"))?;
        let referrer = || call.header(Field::Referer).map(str::to_owned);
        let metadata = self.metadata.as_ref().map(serde_json::to_string).transpose();
        Ok(ReportedClick {
            clicked_at,
            ip: self.ip(call)?,
            user_agent: self.user_agent.clone().unwrap_or_default(),
            referrer: self.referrer_url.clone().or_else(referrer).unwrap_or_default(),
            session: self.session_id.clone().filter(|session| !session.is_empty()),
            source: self.click_source.clone().unwrap_or_else(|| "direct".to_owned()),
            metadata: metadata.map_err(|error| Fail::internal(&error))?,
        })
    }

    fn ip(&self, call: &Call) -> Result<Option<IpAddr>, Fail> {
        let Some(text) = &self.ip_address else {
            let client = call.client();
            return Ok(client.named.then_some(client.ip));
        };
        let ip: Option<IpAddr> = text.parse().ok();
        ip.map(Some).ok_or_else(|| Fail::invalid("ip_address", "expected an IP address"))
    }
}
