//! The shapes of the tracking dialect, field by field as its document has them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// Whether redirects are served.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Health {
    pub(super) status: &'static str,
    pub(super) service: &'static str,
    pub(super) version: &'static str,
}
