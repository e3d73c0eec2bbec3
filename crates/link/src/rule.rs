//! Routing rules: which visitors are led elsewhere (SPEC 3.6).
//!
//! A rule keeps its value as typed and beside it what the value means, parsed once. Whether a
//! visitor matches is asked through [`Visitor`], so that nothing is found out that no rule needs.

use std::{hash::Hasher, net::IpAddr};

use ipnet::IpNet;
use siphasher::sip::SipHasher13;

use crate::{Destination, LinkId, limits};

/// Shares are counted in hundredths of a percent.
const WHOLE: u32 = 10_000;
/// The names that a `device` rule may give.
const DEVICES: [&str; 3] = ["Mobile", "Tablet", "Desktop"];
/// The names that an `os` rule may give.
const SYSTEMS: [&str; 6] = ["Windows", "macOS", "Linux", "Android", "iOS", "ChromeOS"];

/// What a rule may ask of a visitor. Text is compared without case.
pub trait Visitor {
    /// ISO 3166-1 alpha-2, in capitals.
    fn country(&self) -> Option<[u8; 2]>;
    /// `Mobile`, `Tablet` or `Desktop`.
    fn device(&self) -> &str;
    /// `Windows`, `macOS`, `Linux`, `Android`, `iOS`, `ChromeOS` or something else.
    fn os(&self) -> &str;
    /// `Chrome`, `Safari`, `Firefox`, `Edge`, `Opera`, `Samsung` or something else.
    fn browser(&self) -> &str;
    /// The host of the `Referer`, empty where there is none.
    fn referrer_host(&self) -> &str;
    /// The first choice of `Accept-Language`, such as `de-DE`; empty where there is none.
    fn language(&self) -> &str;
    /// Whether the query string has this parameter with this value, both decoded.
    fn has_query(&self, key: &str, value: &str) -> bool;
    /// The client's address.
    fn ip(&self) -> IpAddr;
    /// Minutes since midnight in the workspace's time zone.
    fn minute_of_day(&self) -> u16;
    /// Days since 1970-01-01 in the workspace's time zone.
    fn day(&self) -> i64;
    /// The visitor's fixed place among all visitors of the link, below 10,000: [`percentile`].
    fn percentile(&self) -> u32;
}

/// Why a rule is refused: it could never match, or asks for what doesn't exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// No such condition.
    #[error("unknown condition {0:?}")]
    Condition(String),
    /// The value doesn't fit the condition.
    #[error("{expected}, not {value:?}")]
    Value {
        /// As typed.
        value: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A percentage outside 0–100, or all of a link's over 100 together.
    #[error("percentages must be between 0 and 100 and at most 100 in all")]
    Percentage,
    /// A limit of `limits.rs`.
    #[error("too many rules, or one too long")]
    TooLong,
}

/// What a rule asks, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// One of these countries.
    Geo(Vec<[u8; 2]>),
    /// One of these device classes.
    Device(Vec<String>),
    /// One of these operating systems.
    Os(Vec<String>),
    /// One of these browsers.
    Browser(Vec<String>),
    /// A referrer of one of these domains or a subdomain.
    Referer(Vec<String>),
    /// A first language that is or begins with one of these.
    Language(Vec<String>),
    /// A query parameter of this value.
    Query(String, String),
    /// An address in one of these networks.
    Ip(Vec<IpNet>),
    /// Minutes of the day, the end exclusive; wraps midnight where the start is later.
    Time(u16, u16),
    /// Days since 1970-01-01, both included.
    Date(i64, i64),
    /// A share of all visitors, in hundredths of a percent.
    Percentage(u32),
}

/// A routing rule: a condition and where those who match are led.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The client's own identifier; stored with each click that the rule served.
    pub id: String,
    /// Where it leads.
    pub destination: Destination,
    name: String,
    value: String,
    condition: Condition,
}

impl Rule {
    /// The rule `condition`, as the documents spell it, with its value as typed. `percentage`
    /// (0–100) counts for the condition of that name only.
    ///
    /// # Errors
    /// [`RuleError`] where the rule could never match anything.
    pub fn parse(
        id: &str,
        condition: &str,
        value: &str,
        percentage: Option<f64>,
        destination: Destination,
    ) -> Result<Self, RuleError> {
        if id.len() > limits::RULE_ID_BYTES || value.len() > limits::RULE_VALUE_BYTES {
            return Err(RuleError::TooLong);
        }
        let parsed = Condition::parse(condition, value, percentage)?;
        let (name, value) = (condition.to_owned(), value.to_owned());
        Ok(Self { id: id.to_owned(), destination, name, value, condition: parsed })
    }

    /// The condition's name, as the documents spell it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value, as typed.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The share, 0–100, of a `percentage` rule.
    pub fn percentage(&self) -> Option<f64> {
        match self.condition {
            Condition::Percentage(share) => Some(f64::from(share) / 100.0),
            _ => None,
        }
    }

    /// What it asks, parsed.
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// The first of `rules` that `visitor` matches.
    ///
    /// Percentages are shares of all visitors, cumulative in the order of the rules: whose place
    /// lies past a rule's share falls to the next.
    pub fn first_match<'r>(rules: &'r [Self], visitor: &impl Visitor) -> Option<&'r Self> {
        let mut taken = 0;
        rules.iter().find(|rule| match rule.condition {
            Condition::Percentage(share) => {
                let from = taken;
                taken += share;
                (from..taken).contains(&visitor.percentile())
            }
            ref other => other.matches(visitor),
        })
    }
}

/// Fails if there are too many rules, or their percentages sum to more than 100.
///
/// # Errors
/// [`RuleError::TooLong`], [`RuleError::Percentage`].
pub fn check_shares(rules: &[Rule]) -> Result<(), RuleError> {
    let share = |rule: &Rule| match rule.condition {
        Condition::Percentage(share) => share,
        _ => 0,
    };
    if rules.len() > limits::RULES {
        return Err(RuleError::TooLong);
    }
    if rules.iter().map(share).sum::<u32>() > WHOLE { Err(RuleError::Percentage) } else { Ok(()) }
}

/// A visitor's place among all visitors of a link, below 10,000: a fixed-key hash of link id,
/// address and user agent, so it is the same on every node and after every restart.
pub fn percentile(link: LinkId, ip: IpAddr, user_agent: &[u8]) -> u32 {
    let mut hasher = SipHasher13::new_with_keys(0x7761_7970_6f73_7420, 0x7374_6963_6b79_2031);
    hasher.write(&link.0.to_le_bytes());
    match ip {
        IpAddr::V4(ip) => hasher.write(&ip.octets()),
        IpAddr::V6(ip) => hasher.write(&ip.octets()),
    }
    hasher.write(user_agent);
    ((u128::from(hasher.finish()) * u128::from(WHOLE)) >> 64) as u32
}

impl Condition {
    fn parse(name: &str, value: &str, percentage: Option<f64>) -> Result<Self, RuleError> {
        let wrong = |expected| RuleError::Value { value: value.to_owned(), expected };
        match name {
            "geo" => countries(value).map(Self::Geo).ok_or(wrong("two-letter country codes")),
            "device" => {
                known(value, &DEVICES).map(Self::Device).ok_or(wrong("Mobile, Tablet or Desktop"))
            }
            "os" => known(value, &SYSTEMS).map(Self::Os).ok_or(wrong("an operating system")),
            "browser" => list(value).map(Self::Browser).ok_or(wrong("a browser")),
            "referer" => domains(value).map(Self::Referer).ok_or(wrong("a domain")),
            "language" => list(value).map(Self::Language).ok_or(wrong("a language")),
            "query" => pair(value).ok_or(wrong("key=value")),
            "ip" => networks(value).map(Self::Ip).ok_or(wrong("addresses or networks")),
            "time" => hours(value).ok_or(wrong("HH:MM-HH:MM")),
            "date" => days(value).ok_or(wrong("YYYY-MM-DD..YYYY-MM-DD")),
            "percentage" => share(percentage.or_else(|| value.trim().parse().ok())),
            _ => Err(RuleError::Condition(name.to_owned())),
        }
    }

    fn matches(&self, visitor: &impl Visitor) -> bool {
        match self {
            Self::Geo(countries) => visitor.country().is_some_and(|code| countries.contains(&code)),
            Self::Device(names) => has(names, visitor.device()),
            Self::Os(names) => has(names, visitor.os()),
            Self::Browser(names) => has(names, visitor.browser()),
            Self::Referer(domains) => {
                domains.iter().any(|domain| within(visitor.referrer_host(), domain, '.'))
            }
            Self::Language(tags) => tags.iter().any(|tag| speaks(visitor.language(), tag)),
            Self::Query(key, value) => visitor.has_query(key, value),
            Self::Ip(networks) => networks.iter().any(|net| net.contains(&visitor.ip())),
            &Self::Time(from, to) if from <= to => (from..to).contains(&visitor.minute_of_day()),
            &Self::Time(from, to) => !(to..from).contains(&visitor.minute_of_day()),
            &Self::Date(from, to) => (from..=to).contains(&visitor.day()),
            Self::Percentage(_) => false,
        }
    }
}

/// The comma-separated values, trimmed; `None` where one is empty or there are too many.
fn list(value: &str) -> Option<Vec<String>> {
    let values: Vec<_> = value.split(',').map(|item| item.trim().to_owned()).collect();
    let whole = values.len() <= limits::RULE_VALUES && values.iter().all(|item| !item.is_empty());
    whole.then_some(values)
}

fn known(value: &str, names: &[&str]) -> Option<Vec<String>> {
    list(value).filter(|values| {
        values.iter().all(|value| names.iter().any(|name| name.eq_ignore_ascii_case(value)))
    })
}

fn countries(value: &str) -> Option<Vec<[u8; 2]>> {
    let code = |item: String| match *item.to_ascii_uppercase().as_bytes() {
        [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Some([a, b]),
        _ => None,
    };
    list(value)?.into_iter().map(code).collect()
}

fn domains(value: &str) -> Option<Vec<String>> {
    let domain = |item: String| {
        let item = item.trim_start_matches("www.").trim_end_matches('.');
        crate::Hostname::parse(item).ok().map(|host| host.as_str().to_owned())
    };
    list(value)?.into_iter().map(domain).collect()
}

fn networks(value: &str) -> Option<Vec<IpNet>> {
    let network = |item: String| {
        item.parse::<IpNet>().or_else(|_| item.parse::<IpAddr>().map(IpNet::from)).ok()
    };
    list(value)?.into_iter().map(network).collect()
}

fn pair(value: &str) -> Option<Condition> {
    let (key, value) = value.split_once('=')?;
    (!key.is_empty()).then(|| Condition::Query(key.to_owned(), value.to_owned()))
}

fn hours(value: &str) -> Option<Condition> {
    let minute = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        let two = |text: &str| text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !two(hour) || !two(minute) {
            return None;
        }
        let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
        let fits = minute < 60 && (hour < 24 || (hour, minute) == (24, 0));
        fits.then_some(hour * 60 + minute)
    };
    let (from, to) = value.split_once('-')?;
    let (from, to) = (minute(from)?, minute(to)?);
    (from != to).then_some(Condition::Time(from, to))
}

fn days(value: &str) -> Option<Condition> {
    let epoch = jiff::civil::date(1970, 1, 1);
    let day = |text: &str| {
        let date: jiff::civil::Date = text.trim().parse().ok()?;
        Some(i64::from(date.since(epoch).ok()?.get_days()))
    };
    let (from, to) = value.split_once("..")?;
    let (from, to) = (day(from)?, day(to)?);
    (from <= to).then_some(Condition::Date(from, to))
}

fn share(percentage: Option<f64>) -> Result<Condition, RuleError> {
    match percentage {
        Some(percentage) if (0.0..=100.0).contains(&percentage) => {
            Ok(Condition::Percentage((percentage * 100.0).round() as u32))
        }
        _ => Err(RuleError::Percentage),
    }
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether `name` is `root` or ends in `edge` and `root`, without case.
fn within(name: &str, root: &str, edge: char) -> bool {
    let Some(start) = name.len().checked_sub(root.len()) else { return false };
    let fits = name.get(start..).is_some_and(|tail| tail.eq_ignore_ascii_case(root));
    fits && (start == 0 || name[..start].ends_with(edge))
}

/// Whether the language `tag` is `range` or one of its variants (basic filtering, RFC 4647, 3.3.1).
fn speaks(tag: &str, range: &str) -> bool {
    let fits = tag.get(..range.len()).is_some_and(|head| head.eq_ignore_ascii_case(range));
    fits && matches!(tag.as_bytes().get(range.len()), None | Some(b'-'))
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
