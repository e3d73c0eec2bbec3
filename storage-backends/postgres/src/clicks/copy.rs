//! Raw clicks into the database: `COPY … BINARY`, the cheapest way there is.

use postgres::{
    Transaction,
    binary_copy::BinaryCopyInWriter,
    types::{ToSql, Type},
};
use waypost_link::ClickId;
use waypost_storage::{NewClick, REDIRECT, Row, StoredClick, country_text};

use crate::{fault::Tried, read::text};

const COPY: &str = "COPY waypost.clicks (link_id, received, salt, workspace_id, clicked_at, ip, \
                    country, user_agent, referrer, language, session, source, metadata, rule, bot) \
                    FROM STDIN BINARY";

const TYPES: [Type; 15] = [
    Type::INT8,
    Type::INT8,
    Type::INT4,
    Type::INT8,
    Type::INT8,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::BOOL,
];

/// A raw click on its way.
pub(super) struct Raw<'c> {
    id: ClickId,
    workspace: i64,
    clicked_at: i64,
    ip: Option<String>,
    country: Option<[u8; 2]>,
    texts: [&'c str; 5],
    session: Option<&'c str>,
    metadata: Option<&'c str>,
    bot: bool,
}

impl<'c> Raw<'c> {
    pub(super) fn of_row(row: &Row<'c>, bot: bool) -> Self {
        Self {
            id: row.id,
            workspace: row.workspace.0 as i64,
            clicked_at: row.id.received.0,
            ip: row.address.text(),
            country: row.country,
            texts: [
                row.user_agent.text,
                row.referrer.text,
                row.language.text,
                REDIRECT,
                row.rule.text,
            ],
            session: None,
            metadata: None,
            bot,
        }
    }

    pub(super) fn of_click(click: &'c NewClick, bot: bool) -> Self {
        Self {
            id: click.id,
            workspace: click.workspace.0 as i64,
            clicked_at: click.clicked_at.0,
            ip: click.ip.clone(),
            country: click.country,
            texts: [&click.user_agent, &click.referrer, &click.language, &click.source, ""],
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
            ip: click.ip.clone(),
            country: click.country,
            texts: [
                &click.user_agent,
                &click.referrer,
                &click.language,
                &click.source,
                &click.rule,
            ],
            session: click.session.as_deref(),
            metadata: click.metadata.as_deref(),
            bot: click.bot,
        }
    }
}

/// Copies `clicks` in.
pub(super) fn copy(txn: &mut Transaction<'_>, clicks: &[Raw<'_>]) -> Tried<()> {
    if clicks.is_empty() {
        return Ok(());
    }
    let mut writer = BinaryCopyInWriter::new(txn.copy_in(COPY)?, &TYPES);
    for click in clicks {
        let (link, received) = (click.id.link.0 as i64, click.id.received.0);
        let salt = click.id.salt as i32;
        let country = click.country.map(|country| country_text(Some(country)));
        let country = country.as_deref().map(text);
        let ip = click.ip.as_deref().map(text);
        let (session, metadata) = (click.session.map(text), click.metadata.map(text));
        let [user_agent, referrer, language, source, rule] = click.texts.map(text);
        let columns: [&(dyn ToSql + Sync); 15] = [
            &link,
            &received,
            &salt,
            &click.workspace,
            &click.clicked_at,
            &ip,
            &country,
            &user_agent,
            &referrer,
            &language,
            &session,
            &source,
            &metadata,
            &rule,
            &click.bot,
        ];
        writer.write(&columns)?;
    }
    writer.finish()?;
    Ok(())
}
