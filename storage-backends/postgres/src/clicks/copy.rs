//! Raw clicks into the database: `COPY … BINARY`, the cheapest way there is.
//!
//! Rows are spelled here, straight into one buffer that is sent a piece at a time: a value by
//! `ToSql` and a message of 4 KiB cost a click more than all that it says.

use std::{
    io::Write as _,
    net::{IpAddr, Ipv4Addr},
};

use postgres::{CopyInWriter, Transaction};
use waypost_link::ClickId;
use waypost_storage::{Address, Error, NewClick, StoredClick};

use super::gather::{Hit, Texts};
use crate::{
    fault::{Fault, Tried, explain},
    limits,
    read::text,
};

const COPY: &str = "COPY waypost.clicks (link_id, received, salt, workspace_id, clicked_at, ip, \
                    country, user_agent, referrer, language, session, source, metadata, rule, bot) \
                    FROM STDIN BINARY";
/// How many columns those are.
const COLUMNS: i16 = 15;
/// What stands in front of all rows: the format's name, no flags, no more of a header.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The length of what is NULL.
const NULL: i32 = -1;

/// A raw click on its way.
pub(super) struct Raw<'c> {
    id: ClickId,
    workspace: i64,
    clicked_at: i64,
    ip: Ip<'c>,
    country: Option<[u8; 2]>,
    /// User agent, referrer, language, source, rule.
    texts: [Words<'c>; 5],
    session: Option<&'c str>,
    metadata: Option<&'c str>,
    bot: bool,
}

/// An address, as it comes.
enum Ip<'c> {
    Kept(Address),
    Said(Option<&'c str>),
}

/// A text, as it comes.
enum Words<'c> {
    /// A field already.
    Spelled(&'c [u8]),
    Said(&'c str),
}

impl<'c> Raw<'c> {
    pub(super) fn of_hit(hit: &Hit, texts: &'c Texts<'_>) -> Self {
        Self {
            id: hit.id,
            workspace: hit.workspace.0 as i64,
            clicked_at: hit.id.received.0,
            ip: Ip::Kept(hit.address),
            country: hit.country,
            texts: texts.fields(hit).map(Words::Spelled),
            session: None,
            metadata: None,
            bot: hit.bot,
        }
    }

    pub(super) fn of_click(click: &'c NewClick, bot: bool) -> Self {
        Self {
            id: click.id,
            workspace: click.workspace.0 as i64,
            clicked_at: click.clicked_at.0,
            ip: Ip::Said(click.ip.as_deref()),
            country: click.country,
            texts: [&*click.user_agent, &click.referrer, &click.language, &click.source, ""]
                .map(Words::Said),
            session: click.session.as_deref(),
            metadata: click.metadata.as_deref(),
            bot,
        }
    }

    pub(super) fn of_stored(click: &'c StoredClick) -> Self {
        Self {
            id: click.id,
            workspace: click.workspace.0 as i64,
            clicked_at: click.clicked_at.0,
            ip: Ip::Said(click.ip.as_deref()),
            country: click.country,
            texts: [
                &*click.user_agent,
                &click.referrer,
                &click.language,
                &click.source,
                &click.rule,
            ]
            .map(Words::Said),
            session: click.session.as_deref(),
            metadata: click.metadata.as_deref(),
            bot: click.bot,
        }
    }

    /// Its row, in the order of [`COPY`].
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&COLUMNS.to_be_bytes());
        bigint(out, self.id.link.0 as i64);
        bigint(out, self.id.received.0);
        field(out, &self.id.salt.to_be_bytes());
        bigint(out, self.workspace);
        bigint(out, self.clicked_at);
        address(out, &self.ip);
        match &self.country {
            // Letters were found to be ASCII; what isn't would be no text to the database.
            Some(code) if code.is_ascii() && !code.contains(&0) => field(out, code),
            Some(code) => words(out, &waypost_storage::country_text(Some(*code))),
            None => null(out),
        }
        let [user_agent, referrer, language, source, rule] = &self.texts;
        [user_agent, referrer, language].into_iter().for_each(|text| text.write(out));
        optional(out, self.session);
        source.write(out);
        optional(out, self.metadata);
        rule.write(out);
        field(out, &[u8::from(self.bot)]);
    }
}

impl Words<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Spelled(field) => out.extend_from_slice(field),
            Self::Said(text) => words(out, text),
        }
    }
}

fn field(out: &mut Vec<u8>, value: &[u8]) {
    out.extend_from_slice(&(value.len() as i32).to_be_bytes());
    out.extend_from_slice(value);
}

fn bigint(out: &mut Vec<u8>, value: i64) {
    field(out, &value.to_be_bytes());
}

/// A text as a field: its length, and what the database takes of it.
pub(super) fn words(out: &mut Vec<u8>, value: &str) {
    field(out, text(value).as_bytes());
}

fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(&NULL.to_be_bytes());
}

fn optional(out: &mut Vec<u8>, value: Option<&str>) {
    match value {
        Some(value) => words(out, value),
        None => null(out),
    }
}

fn address(out: &mut Vec<u8>, ip: &Ip<'_>) {
    match ip {
        Ip::Kept(Address::Nothing) => null(out),
        Ip::Said(said) => optional(out, *said),
        Ip::Kept(address) => {
            let at = out.len();
            null(out);
            match address {
                Address::Nothing => {}
                Address::Ip(IpAddr::V4(ip)) => dotted(out, *ip),
                // What writes into memory doesn't fail.
                Address::Ip(IpAddr::V6(ip)) => _ = write!(out, "{ip}"),
                Address::Hash(hash) => _ = write!(out, "{hash:016x}"),
            }
            let length = (out.len() - at - size_of::<i32>()) as i32;
            out[at..at + size_of::<i32>()].copy_from_slice(&length.to_be_bytes());
        }
    }
}

/// As `Display` has it, which takes as long as the rest of a row.
fn dotted(out: &mut Vec<u8>, ip: Ipv4Addr) {
    let mut spelled = itoa::Buffer::new();
    for octet in ip.octets() {
        out.extend_from_slice(spelled.format(octet).as_bytes());
        out.push(b'.');
    }
    out.pop();
}

/// Copies `clicks` in.
pub(super) fn copy<'c>(
    txn: &mut Transaction<'_>,
    clicks: impl IntoIterator<Item = Raw<'c>>,
) -> Tried<()> {
    let mut clicks = clicks.into_iter().peekable();
    if clicks.peek().is_none() {
        return Ok(());
    }
    let mut writer = txn.copy_in(COPY)?;
    let mut buffer = HEADER.to_vec();
    for click in clicks {
        click.write(&mut buffer);
        if buffer.len() >= limits::COPY_BYTES {
            send(&mut writer, &mut buffer)?;
        }
    }
    // A row of no number of columns is the end.
    buffer.extend_from_slice(&(-1_i16).to_be_bytes());
    send(&mut writer, &mut buffer)?;
    writer.finish()?;
    Ok(())
}

fn send(writer: &mut CopyInWriter<'_>, buffer: &mut Vec<u8>) -> Tried<()> {
    writer.write_all(buffer).map_err(fault)?;
    buffer.clear();
    Ok(())
}

/// The client's error, which its writer has wrapped.
fn fault(error: std::io::Error) -> Fault {
    let text = error.to_string();
    let own = error.into_inner().and_then(|inner| inner.downcast::<postgres::Error>().ok());
    own.map_or(Fault::Refused(Error::Unavailable(text)), |own| Fault::Refused(explain(&own)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_spelled_as_display_has_them() {
        for ip in [[0, 0, 0, 0], [192, 0, 2, 1], [10, 100, 99, 9], [255; 4]].map(Ipv4Addr::from) {
            let mut spelled = Vec::new();
            dotted(&mut spelled, ip);
            assert_eq!(String::from_utf8(spelled), Ok(ip.to_string()));
        }
    }
}
