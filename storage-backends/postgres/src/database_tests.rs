//! What becomes of a transaction whose commit was not answered.

use super::*;
use crate::testing::TestDatabase;

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
        database.settle(Outcome::Unknown(7, xid.clone(), lost()))
    };
    assert_eq!(settled(&database, &done), Ok(7));
    assert_eq!(settled(&database, &undone), Err(lost()));
    let away = Database::new(&Options::parse("postgres://127.0.0.1:1/x").unwrap()).unwrap();
    for (database, xid) in [(&database, &open), (&away, &done)] {
        match settled(database, xid) {
            Err(Error::Unavailable(why)) => assert!(why.starts_with("it is not known"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}
