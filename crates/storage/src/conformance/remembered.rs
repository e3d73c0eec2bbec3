//! Remembered answers: kept with their commit, for their time.

use waypost_link::{Change, Claim, Collection, Record, Remembered, Timestamp};

use super::{Fixture, samples::*};
use crate::Error;

fn answer(scope: u8, expires_at: Timestamp) -> Remembered {
    Remembered { scope: [scope; 32], request: [7; 32], status: 201, ids: vec![], expires_at }
}

pub(super) fn an_answer_is_remembered_with_the_ids_made(fixture: &dyn Fixture) {
    let store = fixture.store();
    let links = made(&*store, &[link("a"), link("b"), link("e")]);
    let asked = answer(1, NOW.plus(10));
    let changed = commit(
        &*store,
        &[
            create(&link("d")),
            update(&links[2], &links[2]),
            Change::Remember(asked.clone()),
            delete(&links[0]),
            put(&Record::Collection(Collection::default())),
        ],
    );
    assert_eq!(changed.ids, [4, 3, 0, 1, 1]);
    let expected = Remembered { ids: vec![4, 1], ..asked };
    assert_eq!(store.remembered(&[1; 32], NOW), Ok(Some(expected.clone())));
    assert_eq!(store.remembered(&[2; 32], NOW), Ok(None));
    let store = fixture.reopen(store);
    assert_eq!(store.remembered(&[1; 32], NOW), Ok(Some(expected)));
    assert_eq!(store.holder(&Claim::Scope([1; 32])), Ok(None));
}

pub(super) fn a_scope_answers_once_while_it_lives(fixture: &dyn Fixture) {
    let store = fixture.store();
    let end = NOW.plus(10);
    let commit = |code: &str, scope, at, until| {
        let changes = [create(&link(code)), Change::Remember(answer(scope, until))];
        store.commit(&changes, at).map(|done| done.ids[0])
    };
    let taken = Error::Taken { index: 1, claim: Box::new(Claim::Scope([1; 32])), holder: 0 };
    assert_eq!(commit("a", 1, NOW, end), Ok(1));
    for at in [NOW, end.plus(-1)] {
        assert_eq!(commit("b", 1, at, end), Err(taken.clone()));
        assert!(store.remembered(&[1; 32], at).unwrap().is_some());
    }
    assert_eq!(store.link_count(None), Ok(1));
    let other = commit("b", 2, NOW, end).unwrap();
    assert_eq!(store.remembered(&[1; 32], end), Ok(None));
    let again = commit("e", 1, end, end.plus(5)).unwrap();
    assert_eq!(store.remembered(&[1; 32], end).unwrap().unwrap().ids, [again]);
    assert_eq!(store.remembered(&[2; 32], NOW).unwrap().unwrap().ids, [other]);
    let twice = [3, 3].map(|scope| Change::Remember(answer(scope, end)));
    let taken = Error::Taken { index: 1, claim: Box::new(Claim::Scope([3; 32])), holder: 0 };
    assert_eq!(store.commit(&twice, NOW), Err(taken));
    assert_eq!(store.remembered(&[3; 32], NOW), Ok(None));
}

pub(super) fn expired_answers_are_forgotten(fixture: &dyn Fixture) {
    let store = fixture.store();
    let answers = [1, 2, 3].map(|n| Change::Remember(answer(n, NOW.plus(i64::from(n)))));
    commit(&*store, &answers);
    assert_eq!(store.forget(NOW, NOW), Ok(0));
    assert_eq!(store.forget(NOW, NOW.plus(2)), Ok(2));
    assert_eq!(store.forget(NOW, NOW.plus(2)), Ok(0));
    let left = [1, 2, 3].map(|n| store.remembered(&[n; 32], NOW).unwrap().is_some());
    assert_eq!(left, [false, false, true]);
}
