//! Raw clicks of a day are a table: made ahead, dropped when their time is over.

use waypost_link::{ClickId, LinkId, Timestamp, WorkspaceId};
use waypost_postgres::{PostgresStore, testing::TestDatabase};
use waypost_storage::{ClickStore, Error, Event, NewClick, Trim};

/// A click received on this day.
fn click(day: i64) -> Event {
    let received = Timestamp(day * Timestamp::DAY + 1);
    let id = ClickId { link: LinkId(1), received, salt: 7 };
    Event::Click(Box::new(NewClick {
        id,
        workspace: WorkspaceId(1),
        clicked_at: received,
        ip: None,
        country: None,
        user_agent: String::new(),
        referrer: String::new(),
        language: String::new(),
        session: None,
        visitor: 1,
        source: "direct".into(),
        metadata: None,
        dedupe: None,
    }))
}

fn partitions(database: &TestDatabase) -> Vec<String> {
    let sql = "SELECT relname::text FROM pg_class JOIN pg_inherits ON inhrelid = oid \
               WHERE inhparent = 'waypost.clicks'::regclass ORDER BY relname";
    database.connect().query(sql, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

fn days(days: std::ops::RangeInclusive<i64>) -> Vec<String> {
    days.map(|day| format!("clicks_day_{day}")).collect()
}

#[test]
fn days_are_made_ahead_and_dropped() {
    let database = TestDatabase::new();
    let store = PostgresStore::open(&database.options()).unwrap();
    let other = PostgresStore::open(&database.options()).unwrap();
    store.record(&[click(20_000)]).unwrap();
    other.record(&[click(20_001)]).unwrap();
    assert_eq!(partitions(&database), days(20_000..=20_003));

    let trim = || store.trim(Trim::Before(Timestamp(20_002 * Timestamp::DAY))).unwrap();
    let trimmed = [trim(), trim(), trim()].map(|trimmed| (trimmed.clicks, trimmed.more));
    assert_eq!(trimmed, [(1, true), (1, true), (0, false)]);
    assert_eq!(partitions(&database), days(20_002..=20_003));
    assert_eq!(store.totals(&[LinkId(1)]).unwrap()[0].clicks, 2);

    // A node that knew them wasn't told: its next write fails, and the one after makes them again.
    assert!(matches!(other.record(&[click(20_001)]), Err(Error::Unavailable(_))));
    other.record(&[click(20_001)]).unwrap();
    assert_eq!(partitions(&database), days(20_001..=20_003));
    assert_eq!(store.totals(&[LinkId(1)]).unwrap()[0].clicks, 3);
}
