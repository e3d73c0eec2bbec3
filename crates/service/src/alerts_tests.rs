//! Alerts over a store in memory: counted, written down, sent once.

use std::sync::atomic::Ordering::Relaxed;

use super::*;
use crate::testing::{Mailbox, click, link, link_with, pass, service};

fn alerting(service: &Service, workspace: WorkspaceId, code: &str, at: u64) -> Link {
    link_with(service, workspace, code, |link| {
        link.alert_at = Some(at);
        link.flags = link.flags.with(Flags::ALERT_EMAIL, true);
        Ok(())
    })
}

fn rounds(watch: &mut AlertWatch, mailbox: &Mailbox) -> usize {
    for _ in 0..3 {
        watch.round(mailbox).unwrap();
    }
    mailbox.sent.lock().unwrap().len()
}

fn addressed() -> (Service, WorkspaceId) {
    let (service, workspace) = service();
    service.set_workspace("default", "alert_email", "me@example.com").unwrap();
    (service, workspace)
}

#[test]
fn the_nth_click_sends_one_email() {
    let (service, workspace) = addressed();
    let old = alerting(&service, workspace, "old", 3);
    let (mut watch, mailbox) = (AlertWatch::new(service.clone()).unwrap(), Mailbox::default());
    let new = alerting(&service, workspace, "new", 2);
    let never = link(&service, workspace, "never");
    for (clicks, link, sent) in
        [(2, &old, 0), (1, &old, 1), (5, &old, 1), (9, &never, 1), (2, &new, 2)]
    {
        click(&service, link, clicks);
        assert_eq!(rounds(&mut watch, &mailbox), sent, "{}", link.slug);
    }
    // Neither a restart nor an edit sends it again; another count does.
    let edit = |at| {
        let edit = |link: &mut Link| {
            link.alert_at = Some(at);
            Ok(())
        };
        service.edit_link(workspace, old.id, edit).unwrap();
    };
    let mut watch = AlertWatch::new(service.clone()).unwrap();
    edit(3);
    assert_eq!(rounds(&mut watch, &mailbox), 2);
    edit(4);
    assert_eq!(rounds(&mut watch, &mailbox), 3);
    let sent = mailbox.sent.lock().unwrap();
    assert_eq!(sent[0].to, "me@example.com");
    assert_eq!(sent[0].subject, "old has reached 3 clicks");
    assert_eq!(
        sent.iter().map(|email| email.id.as_str()).collect::<Vec<_>>(),
        ["alert-1", "alert-2", "alert-3"]
    );
}

#[test]
fn what_is_refused_is_tried_again_also_after_a_restart() {
    let (service, workspace) = addressed();
    let link = alerting(&service, workspace, "a", 1);
    let (mut watch, mailbox) = (AlertWatch::new(service.clone()).unwrap(), Mailbox::default());
    mailbox.refuses.store(true, Relaxed);
    click(&service, &link, 1);
    assert_eq!(rounds(&mut watch, &mailbox), 0);
    mailbox.refuses.store(false, Relaxed);
    assert_eq!(rounds(&mut watch, &mailbox), 0, "not before its pause is over");
    let mut restarted = AlertWatch::new(service.clone()).unwrap();
    assert_eq!(rounds(&mut restarted, &mailbox), 1);
    let alert: Alert = service.own(workspace, 1).unwrap();
    assert!(alert.attempts == 1 && alert.sent_at.is_some(), "{alert:?}");
}

#[test]
fn nodes_of_a_fleet_send_one_email() {
    let (service, workspace) = addressed();
    let link = alerting(&service, workspace, "a", 1);
    let (mut one, mailbox) = (AlertWatch::new(service.clone()).unwrap(), Mailbox::default());
    mailbox.refuses.store(true, Relaxed);
    click(&service, &link, 1);
    assert_eq!(rounds(&mut one, &mailbox), 0);
    mailbox.refuses.store(false, Relaxed);
    let mut other = AlertWatch::new(service.clone()).unwrap();
    pass(PAUSE);
    assert_eq!(rounds(&mut other, &mailbox), 1);
    assert_eq!(rounds(&mut one, &mailbox), 1, "it looks before it sends");
    assert!(service.own::<Alert>(workspace, 1).unwrap().sent_at.is_some());
}

#[test]
fn whoever_has_more_to_send_says_so() {
    let (service, workspace) = addressed();
    for code in ["a", "b", "d"] {
        click(&service, &alerting(&service, workspace, code, 1), 1);
    }
    let (mut watch, mailbox) = (AlertWatch::new(service.clone()).unwrap(), Mailbox::default());
    let more: Vec<bool> = (0..3).map(|_| watch.round(&mailbox).unwrap()).collect();
    assert_eq!((more, mailbox.sent.lock().unwrap().len()), (vec![true, true, false], 3));
}

#[test]
fn an_address_may_come_later_but_not_for_ever() {
    let (service, workspace) = service();
    let link = alerting(&service, workspace, "a", 1);
    click(&service, &link, 1);
    let (mut watch, mailbox) = (AlertWatch::new(service.clone()).unwrap(), Mailbox::default());
    assert_eq!(rounds(&mut watch, &mailbox), 0);
    let other = alerting(&service, workspace, "b", 1);
    service.set_workspace("default", "alert_email", "me@example.com").unwrap();
    pass(PAUSE);
    assert_eq!(rounds(&mut watch, &mailbox), 1);
    service.set_workspace("default", "alert_email", "").unwrap();
    click(&service, &other, 1);
    assert_eq!(rounds(&mut watch, &mailbox), 1);
    pass(PATIENCE);
    assert_eq!(rounds(&mut watch, &mailbox), 1);
    service.set_workspace("default", "alert_email", "me@example.com").unwrap();
    pass(LONGEST);
    assert_eq!(rounds(&mut watch, &mailbox), 1, "given up after a week");
    let mut restarted = AlertWatch::new(service.clone()).unwrap();
    assert_eq!(rounds(&mut restarted, &mailbox), 1, "also after a restart");
}

#[test]
fn deleted_links_send_nothing() {
    let (service, workspace) = addressed();
    let link = alerting(&service, workspace, "a", 1);
    let (mut watch, mailbox) = (AlertWatch::new(service.clone()).unwrap(), Mailbox::default());
    click(&service, &link, 1);
    service.delete_link(workspace, link.id).unwrap();
    assert_eq!(rounds(&mut watch, &mailbox), 0);
}
