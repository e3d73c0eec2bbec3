//! Holds the database against itself, in one snapshot.

use std::collections::BTreeMap;

use postgres::{IsolationLevel, Transaction};
use waypost_storage::{Finding, Report, codec, limits::FINDINGS};

use crate::{ask::Ask, database::Database, fault::Tried, limits, read};

/// What should find nothing: the place, and rows that say what is wrong. A link whose purge is
/// under way, which is purged and still has extras, may differ.
const RULES: &[(&str, &str)] = &[
    (
        "link_buckets",
        "SELECT format('link %s: %s clicks in grain %s, %s in all', link_id, n, grain, total) \
         FROM (SELECT link_id, grain, sum(clicks) AS n, sum(bots) AS b, sum(conversions) AS c \
               FROM waypost.link_tallies GROUP BY link_id, grain) AS grains \
         JOIN (SELECT link_id, sum(clicks) AS total, sum(bots) AS bots, sum(conversions) AS conv \
               FROM waypost.link_tallies WHERE grain = 2 GROUP BY link_id) AS alls USING (link_id) \
         WHERE (n, b, c) IS DISTINCT FROM (total, bots, conv) \
             AND NOT EXISTS (SELECT FROM waypost.purged JOIN waypost.link_extras AS left_over \
                             USING (link_id) WHERE purged.link_id = alls.link_id)",
    ),
    (
        "workspace_buckets",
        "SELECT format('workspace %s, grain %s: %s clicks, its links have %s', \
                       workspace_id, grain, n, total) \
         FROM (SELECT workspace_id, grain, sum(clicks) AS n, sum(bots) AS b, \
                      sum(conversions) AS c \
               FROM waypost.workspace_buckets GROUP BY workspace_id, grain) AS own \
         FULL JOIN (SELECT workspace_id, grain, sum(clicks) AS total, sum(bots) AS bots, \
                           sum(conversions) AS conv \
               FROM waypost.link_tallies GROUP BY workspace_id, grain) AS links \
         USING (workspace_id, grain) WHERE (n, b, c) IS DISTINCT FROM (total, bots, conv)",
    ),
    (
        "clicks",
        "SELECT format('link %s: %s raw clicks, %s counted', link_id, n, total) \
         FROM (SELECT link_id, count(*) AS n FROM waypost.clicks GROUP BY link_id) AS raw \
         FULL JOIN (SELECT link_id, sum(clicks) AS total FROM waypost.link_tallies \
               WHERE grain = 2 GROUP BY link_id HAVING sum(clicks) > 0) AS counted \
         USING (link_id) \
         WHERE n IS DISTINCT FROM total AND NOT EXISTS (SELECT FROM waypost.retention) \
             AND NOT EXISTS (SELECT FROM waypost.purged JOIN waypost.link_extras AS left_over \
                             USING (link_id) \
                             WHERE purged.link_id = coalesce(raw.link_id, counted.link_id))",
    ),
    (
        "link_attributes",
        "SELECT format('link %s does not exist', link_id) FROM waypost.link_attributes \
         WHERE NOT EXISTS (SELECT FROM waypost.links WHERE id = link_id)",
    ),
    (
        "feed",
        "SELECT format('%s revisions from %s to %s, the head is %s', n, low, high, head) \
         FROM (SELECT count(*) AS n, min(revision) AS low, max(revision) AS high \
               FROM waypost.feed) AS entries, waypost.state \
         WHERE n <> head - trimmed OR (n > 0 AND (low <> trimmed + 1 OR high <> head))",
    ),
];

/// Links that are deleted and whose clicks are still there.
const PENDING: &str = "SELECT count(DISTINCT link_id) FROM waypost.link_extras, waypost.state \
                       WHERE link_id <= last_ids[1] \
                           AND NOT EXISTS (SELECT FROM waypost.links WHERE id = link_id)";

/// Checks everything.
pub(crate) fn check(database: &Database) -> waypost_storage::Result<Report> {
    database.with_patience(limits::SLOW, |client| {
        let mut txn = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()?;
        // Of tables that were never analysed the planner thinks little, and would loop over them.
        txn.batch_execute("SET LOCAL statement_timeout = 0; SET LOCAL enable_nestloop = off")?;
        let mut report = Report::default();
        let mut claims = links(&mut txn, &mut report)?;
        claims.extend(records(&mut txn)?);
        check_claims(&mut txn, &claims, &mut report)?;
        for (place, sql) in RULES {
            let sql = format!("{sql} LIMIT {FINDINGS}");
            for row in txn.ask(&sql, &[])? {
                found(&mut report, place, row.get(0));
            }
        }
        let count = |txn: &mut Transaction<'_>, sql: &str| -> Tried<u64> {
            Ok(txn.ask_one(sql, &[])?.get::<_, i64>(0) as u64)
        };
        report.clicks = count(&mut txn, "SELECT count(*) FROM waypost.clicks")?;
        report.purges_pending = count(&mut txn, PENDING)?;
        Ok(report)
    })
}

fn found(report: &mut Report, place: &str, what: String) {
    if report.findings.len() < FINDINGS {
        report.findings.push(Finding { place: place.to_owned(), what });
    }
}

/// Reads every link; what they claim.
fn links(txn: &mut Transaction<'_>, report: &mut Report) -> Tried<BTreeMap<Vec<u8>, i64>> {
    let (mut claims, mut after) = (BTreeMap::new(), -1_i64);
    loop {
        let sql = "SELECT id, data FROM waypost.links WHERE id > $1 ORDER BY id LIMIT $2";
        let rows = txn.ask(sql, &[&after, &limits::SCAN])?;
        let Some(last) = rows.last() else { return Ok(claims) };
        after = last.get(0);
        report.links += rows.len() as u64;
        for row in &rows {
            match read::link(row) {
                Ok(link) => claims.extend(codec::claim(&link.claim()).map(|key| (key, row.get(0)))),
                Err(error) => found(report, "links", error.to_string()),
            }
        }
    }
}

/// What all records claim.
fn records(txn: &mut Transaction<'_>) -> Tried<Vec<(Vec<u8>, i64)>> {
    let mut claims = Vec::new();
    for row in txn.ask("SELECT noun, id, data FROM waypost.records", &[])? {
        let record = read::record(&row)?;
        let keys = record.claims();
        claims.extend(keys.iter().filter_map(codec::claim).map(|key| (key, record.id() as i64)));
    }
    Ok(claims)
}

fn check_claims(
    txn: &mut Transaction<'_>,
    wanted: &BTreeMap<Vec<u8>, i64>,
    report: &mut Report,
) -> Tried<()> {
    let rows = txn.ask("SELECT key, holder FROM waypost.claims", &[])?;
    let there: BTreeMap<Vec<u8>, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    for (key, holder) in wanted {
        if there.get(key) != Some(holder) {
            found(report, "claims", format!("{holder}'s is held by {:?}", there.get(key)));
        }
    }
    for (key, holder) in &there {
        if !wanted.contains_key(key) {
            found(report, "claims", format!("{holder} holds one that it doesn't have"));
        }
    }
    Ok(())
}
