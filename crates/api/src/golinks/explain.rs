//! `/api/links/{id}/explain`: what a visitor would be answered, and by which rule.

use schemars::JsonSchema;
use serde::Serialize;
use waypost_service::{Reply, Visit};

use super::links;
use crate::kit::{Answer, Call, Fail, WireRule, reply, time};

/// What a visitor would be answered.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Explained {
    /// `redirect`, `page` or `not_found`.
    pub(super) answer: &'static str,
    /// The status of the answer.
    pub(super) status: u16,
    /// Where it leads; `null` where it leads nowhere.
    pub(super) location: Option<String>,
    /// The rule that fires; `null` where it is the link's own destination.
    pub(super) rule: Option<WireRule>,
    /// Its place among the link's rules, from 0.
    pub(super) rule_index: Option<usize>,
    /// Whether a password is asked for first.
    pub(super) password: bool,
}

/// `GET /api/links/{id}/explain`
pub(super) fn explain(call: &Call) -> Answer {
    let link = links::found(call)?;
    let explained = call.service().explain(&link, &visit(call)?)?;
    let (answer, status) = match explained.reply {
        Reply::Redirect(status) => ("redirect", status),
        Reply::Page => ("page", 200),
        Reply::NotFound => ("not_found", 404),
    };
    reply::json(
        200,
        &Explained {
            answer,
            status,
            location: explained.location,
            rule: explained.rule.and_then(|at| link.rules.get(at)).map(WireRule::from),
            rule_index: explained.rule,
            password: explained.password,
        },
    )
}

/// The visitor of the query; what is absent was not sent.
fn visit(call: &Call) -> Result<Visit, Fail> {
    let fields = call.fields()?;
    let said = |name| fields.get(name).filter(|text: &&str| !text.is_empty());
    let text = |name| said(name).unwrap_or_default().to_owned();
    let at = |text: &str| {
        time::parse(text)
            .ok_or_else(|| Fail::invalid("time", "a time such as 2030-01-01T09:00:00Z"))
    };
    let ip =
        |text: &str| text.parse().map_err(|_| Fail::invalid("ip", "an IP address is expected"));
    Ok(Visit {
        country: text("country"),
        user_agent: text("user_agent"),
        referrer: text("referer"),
        language: text("language"),
        at: said("time").map(at).transpose()?,
        ip: said("ip").map(ip).transpose()?,
        query: said("query").map(str::to_owned),
    })
}
