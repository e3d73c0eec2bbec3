//! Workspaces: the tenants and their settings.

use std::collections::BTreeMap;

use waypost_link::{Claim, Hostname, Noun, Record, Workspace, WorkspaceId};
use waypost_storage::Error;

use crate::{Fault, Plan, Result, Service, limits};

/// The workspace that always exists.
pub(crate) const DEFAULT: &str = "default";

impl Service {
    /// The workspace `default`, made where it is missing.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn default_workspace(&self) -> Result<Workspace> {
        match self.workspace(DEFAULT) {
            Err(Fault::NotFound(_)) => match self.create_workspace(DEFAULT) {
                Err(Fault::Taken(_)) => self.workspace(DEFAULT),
                made => made,
            },
            found => found,
        }
    }

    /// The workspace of this name.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Store`].
    pub fn workspace(&self, name: &str) -> Result<Workspace> {
        match self.store.record_holding(Noun::Workspace, &Claim::Workspace(name.to_owned()))? {
            Some(Record::Workspace(workspace)) => Ok(workspace),
            _ => Err(Fault::NotFound(format!("workspace {name:?}"))),
        }
    }

    /// Makes a workspace.
    ///
    /// # Errors
    /// [`Fault::Invalid`], [`Fault::Taken`], [`Fault::Store`].
    pub fn create_workspace(&self, name: &str) -> Result<Workspace> {
        let fits = (1..=limits::NAME).contains(&name.len());
        if !fits || name.chars().any(char::is_control) || name.trim() != name {
            return Err(Fault::invalid("name", "a workspace's name has 1 to 64 printable bytes"));
        }
        let created_at = (self.now)();
        let mut workspace = Workspace { name: name.to_owned(), created_at, ..Workspace::default() };
        workspace.id = WorkspaceId(self.put(&workspace).map_err(|error| match error {
            Error::Taken { .. } => Fault::Taken(format!("the workspace {name:?}")),
            other => Fault::Store(other),
        })?);
        Ok(workspace)
    }

    /// The workspace of this id.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Store`].
    pub fn workspace_of(&self, id: WorkspaceId) -> Result<Workspace> {
        self.own(id, id.0)
    }

    /// All workspaces, oldest first.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn workspaces(&self) -> Result<Vec<Workspace>> {
        self.all(None)
    }

    /// Sets `key` of a workspace; an empty value clears it.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Invalid`], [`Fault::Store`].
    pub fn set_workspace(&self, name: &str, key: &str, value: &str) -> Result<Workspace> {
        check_setting(key, value)?;
        self.in_turn(|turn| {
            let mut workspace = turn.workspace(name)?;
            if value.is_empty() {
                workspace.settings.remove(key);
            } else {
                workspace.settings.insert(key.to_owned(), value.to_owned());
            }
            check_count(&workspace.settings)?;
            turn.put(&workspace)?;
            Ok(workspace)
        })
    }
}

fn check_setting(key: &str, value: &str) -> Result<()> {
    let known = matches!(key, "base_url" | "timezone" | "plan" | "alert_email" | "exclude_bots")
        || key.strip_prefix("profile.").is_some_and(|profile| !profile.is_empty());
    if !known || key.len() > limits::SETTING {
        let known = "base_url, timezone, plan, alert_email, exclude_bots or profile.NAME";
        return Err(Fault::invalid("key", format!("{key:?} is no setting: {known}")));
    }
    if value.len() > limits::SETTING || value.chars().any(char::is_control) {
        return Err(Fault::invalid("value", "a setting has at most 2048 printable bytes"));
    }
    let fits = match key {
        "plan" => value.is_empty() || Plan::named(value).is_some(),
        "alert_email" => value.is_empty() || is_address(value),
        "exclude_bots" => matches!(value, "" | "true" | "false"),
        _ => true,
    };
    if fits { Ok(()) } else { Err(Fault::invalid("value", format!("{value:?} is no {key}"))) }
}

/// Whether a mail server could make sense of it; whether it reaches anybody is not ours to know.
fn is_address(text: &str) -> bool {
    let fits = text.len() <= limits::ADDRESS && text.bytes().all(|byte| byte.is_ascii_graphic());
    let parts = text.rsplit_once('@');
    fits && parts.is_some_and(|(local, host)| {
        !local.is_empty()
            && !local.contains(['@', '<', '>', ',', ';'])
            && Hostname::parse(host).is_ok()
    })
}

fn check_count(settings: &BTreeMap<String, String>) -> Result<()> {
    if settings.len() <= limits::SETTINGS {
        return Ok(());
    }
    Err(Fault::invalid("key", "a workspace has at most 100 settings"))
}
