//! An alert is mailed once, whatever the mail server says at first, and whatever restarts.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    time::Duration,
};

use crate::support::{Data, exchange};

/// Longer than an alert takes.
const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough for a second one to come, if one does.
const MOMENT: Duration = Duration::from_millis(800);

/// A mail server; the emails that it took, line by line.
fn mail_server() -> (String, Receiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("smtp://{}", listener.local_addr().expect("an address"));
    let (took, emails) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let took = took.clone();
            std::thread::spawn(move || take(&stream, &took));
        }
    });
    (url, emails)
}

fn take(stream: &TcpStream, took: &Sender<Vec<String>>) {
    let (mut writer, mut email, mut data) = (stream, Vec::new(), false);
    let _ = writer.write_all(b"220 ready\r\n");
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let end = data && line == ".";
        let answer = match line.as_str() {
            "." if data => "250 taken\r\n",
            _ if data => "",
            "DATA" => "354 go on\r\n",
            "QUIT" => "221 bye\r\n",
            _ => "250 ok\r\n",
        };
        data = (data || line == "DATA") && !end;
        email.push(line);
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
        if end {
            let _ = took.send(std::mem::take(&mut email));
        }
    }
}

#[test]
fn the_third_click_mails_once() {
    let (url, emails) = mail_server();
    let data = Data::new();
    data.ok(&["workspace", "set", "default", "alert_email", "me@example.com"]);
    data.ok(&["link", "add", "hi", "https://example.com/"]);
    data.ok(&["link", "set", "hi", "alert_at=3", "alert_email=true"]);
    let variables =
        [("WAYPOST_SMTP_URL", url.as_str()), ("WAYPOST_SMTP_FROM", "waypost@example.org")];
    let server = data.serve_with(&[], &variables);
    let click = |address| {
        let answer = exchange(address, "GET /hi HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(answer.expect("an answer").status, 302);
    };
    click(server.address);
    click(server.address);
    assert_eq!(emails.recv_timeout(MOMENT), Err(RecvTimeoutError::Timeout), "two clicks");
    click(server.address);
    let email = emails.recv_timeout(PATIENCE).expect("an email");
    for wanted in ["RCPT TO:<me@example.com>", "Subject: hi has reached 3 clicks"] {
        assert!(email.iter().any(|line| line == wanted), "{wanted} in {email:?}");
    }
    click(server.address);
    assert_eq!(emails.recv_timeout(MOMENT), Err(RecvTimeoutError::Timeout), "a second one");
    assert!(server.stop().success());
    let server = data.serve_with(&[], &variables);
    click(server.address);
    assert_eq!(emails.recv_timeout(MOMENT), Err(RecvTimeoutError::Timeout), "one after a restart");
}
