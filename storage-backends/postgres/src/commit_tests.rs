//! What becomes of a commit whose answer was lost.

use super::*;
use crate::{Options, testing::TestDatabase};

#[test]
fn a_lost_answer_is_asked_for() {
    let test = TestDatabase::new();
    let database = Database::new(&test.options()).unwrap();
    database.with(|_| Ok(())).unwrap();
    let mut client = test.connect();
    let mut begin = |end: &str| {
        client.batch_execute("BEGIN").unwrap();
        let xid = client.query_one("SELECT pg_current_xact_id()::text", &[]).unwrap().get(0);
        client.batch_execute(end).unwrap();
        xid
    };
    let (done, undone, open) = (begin("COMMIT"), begin("ROLLBACK"), begin("SELECT 1"));
    let lost = || Error::Unavailable("lost".into());
    let settled = |database: &Database, xid: &String| {
        let committed = Committed { revision: Revision(7), ids: vec![1] };
        settle(database, committed, xid, lost()).map(|committed| committed.revision)
    };
    assert_eq!(settled(&database, &done), Ok(Revision(7)));
    assert_eq!(settled(&database, &undone), Err(lost()));
    let away = Database::new(&Options::parse("postgres://127.0.0.1:1/x").unwrap()).unwrap();
    for (database, xid) in [(&database, &open), (&away, &done)] {
        match settled(database, xid) {
            Err(Error::Unavailable(why)) => assert!(why.starts_with("it is not known"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}
