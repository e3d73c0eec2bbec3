//! The shapes of the tracking dialect, field by field as its document has them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::kit::Object;

/// A click that is reported.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct NewClick {
    /// The link's code, or `hostname/code`.
    pub(super) tracking_id: String,
    /// When it was clicked, RFC 3339.
    pub(super) clicked_at: String,
    /// The visitor's address.
    pub(super) ip_address: Option<String>,
    /// The visitor's `User-Agent`.
    pub(super) user_agent: Option<String>,
    /// The page with the link.
    pub(super) referrer_url: Option<String>,
    /// The visitor's session: the same link, session and time is the same click.
    pub(super) session_id: Option<String>,
    /// `direct` where absent.
    pub(super) click_source: Option<String>,
    /// Anything else, up to 4 KiB.
    pub(super) metadata: Option<Map<String, Value>>,
}

/// A click that was recorded.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Recorded {
    pub(super) click_id: String,
    pub(super) tracking_id: String,
    pub(super) clicked_at: String,
    pub(super) click_source: String,
    pub(super) status: &'static str,
}

/// A link to be made.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct NewLink {
    /// Where it leads.
    pub(super) original_url: String,
    /// What it is for: `LinkedIn`, `Calendly`, …
    pub(super) link_function: String,
    /// The job, a UUID.
    pub(super) job_id: Option<String>,
    /// The application, a UUID.
    pub(super) application_id: Option<String>,
    /// `profile` where absent.
    pub(super) link_type: Option<String>,
    /// Free text.
    pub(super) description: Option<String>,
}

/// A link that was made.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Created {
    pub(super) tracking_id: String,
    pub(super) redirect_url: String,
    pub(super) original_url: String,
    pub(super) link_function: Option<String>,
    pub(super) link_type: Option<String>,
    pub(super) job_id: Option<String>,
    pub(super) application_id: Option<String>,
    pub(super) created_at: String,
}

/// The links of an application to be made.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct NewPackage {
    /// The job, a UUID.
    pub(super) job_id: String,
    /// The application, a UUID.
    pub(super) application_id: String,
    /// Where the job's own links lead.
    #[serde(default)]
    pub(super) job_data: Object<JobData>,
}

/// Where a job's own links lead; what is absent gets none.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(super) struct JobData {
    pub(super) company_website: Option<String>,
    pub(super) apply_url: Option<String>,
    pub(super) job_url: Option<String>,
}

/// The links of an application that were made, by function.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Package {
    pub(super) job_id: String,
    pub(super) application_id: String,
    pub(super) tracked_links: BTreeMap<String, String>,
    pub(super) total_links: usize,
}

/// A link with its statistics.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Analytics {
    pub(super) link_info: LinkInfo,
    pub(super) click_statistics: Statistics,
    /// The newest 100.
    pub(super) click_timeline: Vec<Click>,
}

/// A link.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LinkInfo {
    #[serde(flatten)]
    pub(super) link: Created,
    pub(super) is_active: bool,
    pub(super) description: Option<String>,
}

/// What a link has had in all.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Statistics {
    pub(super) total_clicks: u64,
    pub(super) unique_sessions: u64,
    pub(super) first_click: Option<String>,
    pub(super) last_click: Option<String>,
    pub(super) clicks_24h: u64,
    pub(super) clicks_7d: u64,
}

/// A click.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Click {
    pub(super) clicked_at: String,
    pub(super) click_source: String,
    pub(super) ip_address: Option<String>,
}

/// A job's links, added up.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Job {
    pub(super) job_id: String,
    pub(super) link_functions: Vec<Function>,
    pub(super) total_links: u64,
    pub(super) total_clicks: u64,
    /// Each session once, whatever it clicked.
    pub(super) unique_sessions: u64,
}

/// A job's links of one function and type.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Function {
    pub(super) link_function: Option<String>,
    pub(super) link_type: Option<String>,
    pub(super) link_count: u64,
    pub(super) total_clicks: u64,
    pub(super) unique_sessions: u64,
    pub(super) first_click: Option<String>,
    pub(super) last_click: Option<String>,
}

/// An application's links.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Application {
    pub(super) application_id: String,
    pub(super) tracked_links: Vec<Tracked>,
    pub(super) total_tracked_links: usize,
    pub(super) total_clicks: u64,
}

/// A link of an application.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Tracked {
    pub(super) link_function: Option<String>,
    pub(super) tracking_id: String,
    pub(super) original_url: String,
    pub(super) description: Option<String>,
    pub(super) click_count: u64,
    pub(super) first_click: Option<String>,
    pub(super) last_click: Option<String>,
}

/// All links over the last days.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    pub(super) report_period: Period,
    pub(super) overall_statistics: Overall,
    pub(super) function_performance: Vec<Performance>,
    pub(super) daily_trends: Vec<Day>,
}

/// What a report covers.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Period {
    pub(super) start_date: String,
    pub(super) end_date: String,
    pub(super) days: u64,
}

/// The sums of a report: links are all that exist, clicks those of the period.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Overall {
    pub(super) total_links: u64,
    pub(super) jobs_with_links: u64,
    pub(super) applications_with_links: u64,
    pub(super) total_clicks: u64,
}

/// The links of one function.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Performance {
    /// `null` for links without one.
    pub(super) link_function: Option<String>,
    pub(super) link_count: u64,
    pub(super) total_clicks: u64,
    pub(super) avg_clicks_per_link: f64,
}

/// The clicks of a UTC day.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Day {
    pub(super) click_date: String,
    pub(super) clicks: u64,
}

/// A link that was ended.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Deactivated {
    pub(super) message: &'static str,
    pub(super) tracking_id: String,
    pub(super) deactivated_at: String,
}

/// Whether redirects are served.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Health {
    pub(super) status: &'static str,
    pub(super) service: &'static str,
    pub(super) version: &'static str,
}
