//! Routing rules and retargeting scripts on the wire, in the one shape that all dialects share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waypost_link::{Placement, Rule, RuleError, Script, check_shares, limits};
use waypost_service::{Fault, Service};

use super::{Fail, Object};

/// A routing rule.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct WireRule {
    /// The client's own identifier.
    #[serde(default)]
    pub id: String,
    /// What is asked of a visitor: `geo`, `device`, `referer`, `time`, `percentage`, `os`, `browser`,
    /// `language`, `query`, `ip` or `date`.
    pub condition: String,
    /// What must hold, by the condition: `US,CA`, `Mobile`, `google.com`, `09:00-17:00`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The share of all visitors, 0 to 100, of a `percentage` rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percentage: Option<f64>,
    /// Where those who match are led.
    pub destination: String,
}

/// A retargeting script.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct WireScript {
    /// The client's own identifier.
    #[serde(default)]
    pub id: String,
    /// `head` or `body`.
    pub placement: WirePlacement,
    /// A full tag, a URL, or inline code.
    pub script: String,
}

/// Where a script goes on its page.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WirePlacement {
    /// Inside `<head>`.
    Head,
    /// Inside `<body>`.
    Body,
}

impl From<&Rule> for WireRule {
    fn from(rule: &Rule) -> Self {
        let value = Some(rule.value().to_owned()).filter(|value| !value.is_empty());
        Self {
            id: rule.id.clone(),
            condition: rule.name().to_owned(),
            value,
            percentage: rule.percentage(),
            destination: rule.destination.as_str().to_owned(),
        }
    }
}

impl From<&Script> for WireScript {
    fn from(script: &Script) -> Self {
        let placement = match script.placement {
            Placement::Head => WirePlacement::Head,
            Placement::Body => WirePlacement::Body,
        };
        Self { id: script.id.clone(), placement, script: script.script.clone() }
    }
}

/// The rules of `wired`, each able to match somebody.
///
/// # Errors
/// [`Fail::Invalid`] names the part, such as `traffic_routing[0].value`, where `field` is
/// `traffic_routing`.
pub fn rules(
    service: &Service,
    field: &str,
    wired: &[Object<WireRule>],
) -> Result<Vec<Rule>, Fail> {
    if wired.len() > limits::RULES {
        return Err(Fail::invalid(field.to_owned(), format!("at most {} rules", limits::RULES)));
    }
    let rules = wired.iter().enumerate().map(|(at, Object(wire))| {
        rule(service, wire)
            .map_err(|(part, why)| Fail::invalid(format!("{field}[{at}].{part}"), why))
    });
    let rules = rules.collect::<Result<Vec<_>, _>>()?;
    check_shares(&rules).map_err(|error| Fail::invalid(field.to_owned(), error.to_string()))?;
    Ok(rules)
}

fn rule(service: &Service, wire: &WireRule) -> Result<Rule, (&'static str, String)> {
    let destination = service.destination(&wire.destination).map_err(|fault| match fault {
        Fault::Invalid { why, .. } => ("destination", why),
        other => ("destination", other.to_string()),
    })?;
    let value = wire.value.as_deref().unwrap_or_default();
    let rule = Rule::parse(&wire.id, &wire.condition, value, wire.percentage, destination);
    rule.map_err(|error| {
        let part = match error {
            RuleError::Condition(_) => "condition",
            RuleError::Percentage => "percentage",
            RuleError::TooLong if wire.id.len() > limits::RULE_ID_BYTES => "id",
            RuleError::TooLong | RuleError::Value { .. } => "value",
        };
        (part, error.to_string())
    })
}

/// The scripts of `wired`.
///
/// # Errors
/// [`Fail::Invalid`] names the part, as [`rules`] does.
pub fn scripts(field: &str, wired: &[Object<WireScript>]) -> Result<Vec<Script>, Fail> {
    if wired.len() > limits::SCRIPTS {
        return Err(Fail::invalid(
            field.to_owned(),
            format!("at most {} scripts", limits::SCRIPTS),
        ));
    }
    let script = |(at, Object(wire)): (usize, &Object<WireScript>)| {
        let wrong = |part, why: String| Err(Fail::invalid(format!("{field}[{at}].{part}"), why));
        if wire.id.len() > limits::RULE_ID_BYTES {
            return wrong("id", format!("at most {} bytes", limits::RULE_ID_BYTES));
        }
        if wire.script.trim().is_empty() || wire.script.len() > limits::SCRIPT_BYTES {
            return wrong("script", format!("expected 1 to {} bytes", limits::SCRIPT_BYTES));
        }
        let placement = match wire.placement {
            WirePlacement::Head => Placement::Head,
            WirePlacement::Body => Placement::Body,
        };
        Ok(Script { id: wire.id.clone(), placement, script: wire.script.clone() })
    };
    wired.iter().enumerate().map(script).collect()
}
