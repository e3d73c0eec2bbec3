//! Options that few links use, kept aside so that a plain link pays nothing for them.

use waypost_link::{Link, Rule, Script, Timestamp, Utm};

use crate::Limit;

/// What a redirect may need of a link beyond its [`Entry`](crate::Entry).
#[derive(Debug, Default)]
pub struct Details {
    /// It answers 404 before this.
    pub valid_from: Option<Timestamp>,
    /// It answers 404 from this on.
    pub expires_at: Option<Timestamp>,
    /// Its click limit.
    pub limit: Option<Limit>,
    /// The click whose counting sends an email.
    pub alert_at: Option<u64>,
    /// An Argon2id hash in PHC form.
    pub password: Option<Box<str>>,
    /// The Amazon product it leads to.
    pub asin: Option<Box<str>>,
    /// UTM parameters set on the destination.
    pub utm: Utm,
    /// Routing rules, first match wins.
    pub rules: Box<[Rule]>,
    /// Retargeting scripts.
    pub scripts: Box<[Script]>,
}

impl Details {
    /// Whether `link` has any of these options.
    pub(crate) fn wanted(link: &Link) -> bool {
        link.valid_from.is_some()
            || link.expires_at.is_some()
            || link.max_clicks.is_some()
            || link.alert_at.is_some()
            || link.password.is_some()
            || link.asin.is_some()
            || !link.utm.is_empty()
            || !link.rules.is_empty()
            || !link.scripts.is_empty()
    }

    pub(crate) fn of(link: &Link, limit: Option<Limit>) -> Self {
        Self {
            valid_from: link.valid_from,
            expires_at: link.expires_at,
            limit,
            alert_at: link.alert_at,
            password: link.password.as_deref().map(Into::into),
            asin: link.asin.as_deref().map(Into::into),
            utm: link.utm.clone(),
            rules: link.rules.clone().into(),
            scripts: link.scripts.clone().into(),
        }
    }
}
