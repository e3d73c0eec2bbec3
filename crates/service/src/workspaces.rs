//! Workspaces: the tenants and their settings.

use std::collections::BTreeMap;

use waypost_link::{Change, Claim, Noun, Record, Workspace, WorkspaceId};
use waypost_storage::{Error, Order, RecordQuery};

use crate::{Fault, Result, Service, limits};

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
        let id = self.store.holder(&Claim::Workspace(name.to_owned()))?;
        match id.map(|id| self.store.record(Noun::Workspace, id)).transpose()?.flatten() {
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
        let made = self.put_workspace(&workspace);
        workspace.id = WorkspaceId(made.map_err(|fault| match fault {
            Fault::Store(Error::Taken { .. }) => Fault::Taken(format!("the workspace {name:?}")),
            other => other,
        })?);
        Ok(workspace)
    }

    /// All workspaces, oldest first.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn workspaces(&self) -> Result<Vec<Workspace>> {
        let records = self.all_records(Noun::Workspace, None)?;
        let own = |record| match record {
            Record::Workspace(workspace) => Some(workspace),
            _ => None,
        };
        Ok(records.into_iter().filter_map(own).collect())
    }

    /// Sets `key` of a workspace; an empty value clears it.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Invalid`], [`Fault::Store`].
    pub fn set_workspace(&self, name: &str, key: &str, value: &str) -> Result<Workspace> {
        check_setting(key, value)?;
        let mut workspace = self.workspace(name)?;
        if value.is_empty() {
            workspace.settings.remove(key);
        } else {
            workspace.settings.insert(key.to_owned(), value.to_owned());
        }
        check_count(&workspace.settings)?;
        self.put_workspace(&workspace)?;
        Ok(workspace)
    }

    /// Every record of a kind, oldest first, of one workspace or all.
    pub(crate) fn all_records(
        &self,
        noun: Noun,
        workspace: Option<WorkspaceId>,
    ) -> Result<Vec<Record>> {
        let limit = waypost_storage::limits::PAGE;
        let mut query =
            RecordQuery { noun, workspace, order: Order::Ascending, after: None, limit };
        let mut all = Vec::new();
        loop {
            let page = self.store.records(&query)?;
            all.extend(page.items);
            if page.next.is_none() {
                return Ok(all);
            }
            query.after = page.next;
        }
    }

    fn put_workspace(&self, workspace: &Workspace) -> Result<u64> {
        let change = Change::PutRecord(Record::Workspace(workspace.clone()));
        let done = self.commit(&[change])?;
        Ok(done.ids.first().copied().unwrap_or_default())
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
        "plan" => matches!(value, "" | "free" | "small" | "medium" | "large"),
        "exclude_bots" => matches!(value, "" | "true" | "false"),
        _ => true,
    };
    if fits { Ok(()) } else { Err(Fault::invalid("value", format!("{value:?} is no {key}"))) }
}

fn check_count(settings: &BTreeMap<String, String>) -> Result<()> {
    if settings.len() <= limits::SETTINGS {
        return Ok(());
    }
    Err(Fault::invalid("key", "a workspace has at most 100 settings"))
}
