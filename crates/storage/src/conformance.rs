//! What every backend must do, as named cases.
//!
//! A backend's tests say `waypost_storage::conformance!(its_fixture())` and get one `#[test]` per
//! case. Each case is one sentence of the contract, made to fail on the mistakes that a backend
//! could make with it; it starts from a store of its own, never looks below the traits, and
//! reads no clock but to give up waiting.

mod append;
mod claims;
mod commits;
mod events;
mod feed;
mod pages;
mod queries;
mod remembered;
mod samples;
mod tallies;
mod transfers;
mod trims;
mod truth;
mod upkeep;

use std::sync::Arc;

use crate::{ClickStore, LinkStore, Maintain, Transfer};

pub use samples::read_agent;

/// A whole store: what a fixture opens.
///
/// [`LinkStore`] and [`ClickStore`] both have a `record`: call those by their trait's name.
pub trait Store: LinkStore + ClickStore + Maintain + Transfer {}

impl<S: LinkStore + ClickStore + Maintain + Transfer> Store for S {}

/// How a backend's stores are made.
pub trait Fixture {
    /// A new store with nothing in it. Each case asks once, those of transfers for their target too.
    fn store(&self) -> Arc<dyn Store>;

    /// What is left of `store` after its process died and it was opened again: all that was
    /// acknowledged as durable. Nobody else holds `store`.
    fn reopen(&self, store: Arc<dyn Store>) -> Arc<dyn Store>;

    /// A backup of `store` in a directory of its own, opened; `None` where the backend has none.
    fn backup(&self, store: &dyn Store) -> Option<Arc<dyn Store>>;
}

/// A sentence of the contract.
pub struct Case {
    /// What it says.
    pub name: &'static str,
    /// Panics where it doesn't hold.
    pub run: fn(&dyn Fixture),
}

/// Runs the case of this name.
///
/// # Panics
/// Where it doesn't hold, or there is none.
pub fn run(name: &str, fixture: &dyn Fixture) {
    let case = CASES.iter().find(|case| case.name == name).expect("a case of that name");
    (case.run)(fixture);
}

/// Makes the list of cases and the macro that turns it into tests. The first token is a `$` for
/// the inner macro to use.
macro_rules! cases {
    ($d:tt $($module:ident { $($name:ident)* })*) => {
        /// Every case.
        pub const CASES: &[Case] =
            &[$($(Case { name: stringify!($name), run: $module::$name },)*)*];

        /// One `#[test]` for each case, on a fixture of its own: `conformance!(expression)`.
        #[macro_export]
        macro_rules! conformance {
            ($d fixture:expr) => {
                $($(
                    #[test]
                    fn $name() {
                        $d crate::conformance::run(stringify!($name), &$d fixture);
                    }
                )*)*
            };
        }
    };
}

cases! { $
    commits {
        ids_count_up_and_are_never_reused
        links_come_back_as_they_were_made
        records_come_back_as_they_were_put
        versions_count_up_and_old_ones_are_stale
        a_lease_follows_the_one_before
        edits_take_turns
        what_does_not_exist_is_missing
        a_failing_commit_changes_nothing
        changes_see_those_before_them
        ten_thousand_links_in_one_commit
        a_commit_has_a_limit
        nothing_to_follow_keeps_the_revision
        threads_never_share_a_name_or_an_id
    }
    claims {
        each_claim_has_one_holder
        claims_are_given_up
        claims_that_are_kept_are_no_conflict
        a_removed_domain_frees_its_hostname
        a_revoked_key_keeps_its_names
        claims_survive_reopening
    }
    remembered {
        an_answer_is_remembered_with_the_ids_made
        a_scope_answers_once_while_it_lives
        expired_answers_are_forgotten
    }
    feed {
        the_feed_brings_whole_commits_in_order
        the_feed_goes_on_from_anywhere
        touching_a_key_is_not_in_the_feed
        nodes_and_leases_are_in_the_feed_for_news_alone
        forgotten_history_is_gone
        waiting_ends_when_the_head_moves
        waiting_ends_when_time_is_over
    }
    queries {
        links_by_each_filter
        indexes_follow_changes
        pages_neither_skip_nor_repeat
        facets_count_links_by_value
        records_by_noun_and_workspace
        limits_are_bent_to_what_is_allowed
    }
    append {
        a_batch_counts_once
        statistics_see_a_batch_at_once
        what_is_durable_survives_and_the_rest_comes_again
        an_epoch_is_forgotten
        an_empty_batch_moves_the_mark
        a_broken_batch_is_refused_whole
        clicks_of_one_moment_all_count
    }
    events {
        a_reported_click_is_there_at_once_and_stays
        a_dedupe_key_counts_once
        a_click_converts_once
        events_are_answered_in_order
    }
    pages {
        clicks_by_link_and_workspace
        clicks_by_time
        pages_of_clicks_are_steady
        a_click_by_its_id
        a_foreign_cursor_does_no_harm
    }
    tallies {
        totals_in_the_order_asked_for
        buckets_hold_what_was_clicked
        several_links_are_merged
        past_the_limit_is_other
        links_merged_past_the_limit
        a_visitor_is_counted_once
        conversions_count_when_they_came
        link_counts_by_day_and_page
    }
    trims {
        retention_keeps_the_rollups
        a_purged_link_is_gone_everywhere
        a_purge_leaves_the_others_alone
        a_purged_link_stays_purged
        a_purge_of_full_dimensions_keeps_the_sums
    }
    upkeep {
        a_check_is_clean_after_everything
        a_deleted_link_is_no_contradiction
        a_backup_is_equal
        a_store_that_is_well_says_so
    }
    transfers {
        a_copy_is_equal
        a_copy_that_stopped_goes_on
        a_copy_refuses_what_it_would_mix
    }
}

#[cfg(test)]
mod tests;
