//! Figures, each beside what it is meant to be.

use anyhow::{Result, bail};
use std::process::ExitCode;
use std::time::Duration;

/// What was measured.
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) value: f64,
    pub(crate) goal: Goal,
    pub(crate) unit: &'static str,
}

/// What a figure is meant to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// It explains others.
    None,
}

impl Goal {
    fn missed(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value > most,
            Self::AtLeast(least) => value < least,
            Self::None => false,
        }
    }

    fn said(self) -> String {
        match self {
            Self::AtMost(most) => format!("≤ {most:.2}"),
            Self::AtLeast(least) => format!("≥ {least:.2}"),
            Self::None => String::new(),
        }
    }
}

/// What a part of all (0 to 1) took at most, in milliseconds.
pub(crate) fn percentile(sorted: &[Duration], part: f64) -> Result<f64> {
    let at = (sorted.len() as f64 * part) as usize;
    match sorted.get(at.min(sorted.len().saturating_sub(1))) {
        Some(time) => Ok(time.as_secs_f64() * 1e3),
        None => bail!("nothing was measured"),
    }
}

/// Prints them; failure where one is not what it is meant to be.
pub(crate) fn report(figures: &[Figure]) -> ExitCode {
    println!("{:<72} {:>10}   {:<10}", "", "is", "meant");
    for Figure { what, value, goal, unit } in figures {
        let verdict = if goal.missed(*value) { "MISSED" } else { "" };
        println!("{what:<72} {value:>10.2}   {:<10} {unit} {verdict}", goal.said());
    }
    let missed = figures.iter().any(|figure| figure.goal.missed(figure.value));
    if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

#[cfg(test)]
mod tests {
    use super::Goal;

    #[test]
    fn goals() {
        let check = |goal: Goal, value, missed| assert_eq!(goal.missed(value), missed, "{goal:?}");
        check(Goal::AtMost(1.0), 1.0, false);
        check(Goal::AtMost(1.0), 1.1, true);
        check(Goal::AtLeast(1.0), 1.0, false);
        check(Goal::AtLeast(1.0), 0.9, true);
        check(Goal::None, 9.0, false);
    }
}
