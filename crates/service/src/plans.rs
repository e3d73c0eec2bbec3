//! Plans: what a workspace's `plan` setting lets it have.

use waypost_link::{Workspace, WorkspaceId};

use crate::{Result, Service};

/// A workspace's plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plan {
    /// `free`
    Free,
    /// `small`
    Small,
    /// `medium`
    Medium,
    /// `large`: where nothing is set.
    #[default]
    Large,
}

impl Plan {
    /// Every plan with its name, and how many custom domains it has; `None` is any number.
    pub const ALL: [(Self, &'static str, Option<usize>); 4] = [
        (Self::Free, "free", Some(0)),
        (Self::Small, "small", Some(1)),
        (Self::Medium, "medium", Some(3)),
        (Self::Large, "large", None),
    ];

    /// The plan of a workspace.
    pub fn of(workspace: &Workspace) -> Self {
        workspace.settings.get("plan").and_then(|name| Self::named(name)).unwrap_or_default()
    }

    /// The plan of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known, _)| *known == name).map(|(plan, ..)| plan)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// How many custom domains it has; `None` is any number.
    pub fn domains(self) -> Option<usize> {
        self.row().2
    }

    fn row(self) -> (Self, &'static str, Option<usize>) {
        Self::ALL[self as usize]
    }
}

impl Service {
    /// A workspace's plan.
    ///
    /// # Errors
    /// [`Fault::NotFound`](crate::Fault::NotFound), [`Fault::Store`](crate::Fault::Store).
    pub fn plan(&self, workspace: WorkspaceId) -> Result<Plan> {
        Ok(Plan::of(&self.workspace_of(workspace)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_plans() {
        for (plan, name, domains) in Plan::ALL {
            assert_eq!((plan.name(), plan.domains()), (name, domains));
            assert_eq!(Plan::named(name), Some(plan));
        }
        assert_eq!(Plan::of(&Workspace::default()), Plan::Large);
    }
}
