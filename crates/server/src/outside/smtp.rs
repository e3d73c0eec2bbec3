//! Emails, handed to a mail server by SMTP.

use std::time::Duration;

use anyhow::Result;
use lettre::{
    Message, SmtpTransport, Transport as _,
    message::{Mailbox, header::ContentType},
};
use waypost_service::{Email, Mailer};

/// How long the mail server may take for a step.
const PATIENCE: Duration = Duration::from_secs(15);

/// A way to a mail server, and whom emails are from.
#[derive(Clone)]
pub(crate) struct SmtpMailer {
    transport: SmtpTransport,
    from: Mailbox,
}

impl SmtpMailer {
    /// One for a URL such as `smtps://user:password@mail.example.com`, or `smtp://…?tls=required`.
    ///
    /// # Errors
    /// Where that is no such URL. The error doesn't repeat it: it may hold a password.
    pub(crate) fn new(url: &str, from: Mailbox) -> Result<Self> {
        let builder = SmtpTransport::from_url(url)?;
        Ok(Self { transport: builder.timeout(Some(PATIENCE)).build(), from })
    }
}

impl std::fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SmtpMailer(from {})", self.from)
    }
}

impl Mailer for SmtpMailer {
    fn send(&self, email: &Email) -> std::result::Result<(), String> {
        let to = email.to.parse().map_err(|_| "alert_email is no address".to_owned())?;
        let id = format!("<{}@{}>", email.id, self.from.email.domain());
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&email.subject)
            .message_id(Some(id))
            .header(ContentType::TEXT_PLAIN)
            .body(email.text.clone())
            .map_err(|error| error.to_string())?;
        self.transport.send(&message).map(drop).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader, Write as _},
        net::TcpListener,
        sync::mpsc::{Receiver, channel},
    };

    use super::*;

    /// A mail server that takes one email after the first `refused` ones; what it was told.
    fn mail_server(refused: usize) -> (String, Receiver<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let (told, emails) = channel();
        std::thread::spawn(move || {
            for (nth, stream) in listener.incoming().map_while(std::io::Result::ok).enumerate() {
                let say = |line: &str| (&stream).write_all(format!("{line}\r\n").as_bytes());
                let (mut lines, mut data) = (Vec::new(), false);
                let _ = say("220 ready");
                for line in BufReader::new(&stream).lines().map_while(std::io::Result::ok) {
                    let word = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
                    let answer = match (data, word.as_str()) {
                        (true, ".") => Some("250 taken"),
                        (true, _) => None,
                        (false, "DATA") => Some("354 go on"),
                        (false, "RCPT") if nth < refused => Some("450 try later"),
                        (false, "QUIT") => Some("221 bye"),
                        (false, _) => Some("250 ok"),
                    };
                    data = (data || word == "DATA") && line != ".";
                    lines.push(line);
                    if answer.is_some_and(|answer| say(answer).is_err()) || word == "QUIT" {
                        break;
                    }
                    if lines.last().is_some_and(|line| line == ".") {
                        let _ = told.send(std::mem::take(&mut lines));
                    }
                }
            }
        });
        (url, emails)
    }

    #[test]
    fn an_email_as_the_mail_server_sees_it() {
        let (url, emails) = mail_server(1);
        let from: Mailbox = "Waypost <alerts@go.example.com>".parse().unwrap();
        let mailer = SmtpMailer::new(&url, from).unwrap();
        let email = Email {
            to: "me@example.com".to_owned(),
            subject: "café has reached 3 clicks".to_owned(),
            text: "one\n.\ntwo\n".to_owned(),
            id: "alert-7".to_owned(),
        };
        assert!(mailer.send(&email).unwrap_err().contains("try later"));
        mailer.send(&email).unwrap();
        let lines = emails.recv().unwrap();
        for wanted in [
            "MAIL FROM:<alerts@go.example.com>",
            "RCPT TO:<me@example.com>",
            "From: Waypost <alerts@go.example.com>",
            "Message-ID: <alert-7@go.example.com>",
            "..",
        ] {
            assert!(lines.iter().any(|line| line.starts_with(wanted)), "{wanted} in {lines:?}");
        }
        assert!(emails.try_recv().is_err(), "sent twice");
        let no_address = Email { to: "me".to_owned(), ..email };
        assert_eq!(mailer.send(&no_address), Err("alert_email is no address".to_owned()));
    }
}
