//! What goes wrong in a statement, before it is put in the contract's words.

use postgres::error::SqlState;
use waypost_storage::Error;

/// Why a step of a transaction failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The answer to the caller: nothing was written.
    Refused(Error),
    /// PostgreSQL's own.
    Broken(postgres::Error),
}

/// The result of a step.
pub(crate) type Tried<T> = Result<T, Fault>;

impl From<postgres::Error> for Fault {
    fn from(error: postgres::Error) -> Self {
        Self::Broken(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(error) => error,
            Fault::Broken(error) => explain(&error),
        }
    }
}

/// A value of `table` that can't be what was written.
pub(crate) fn corrupt(table: &str, what: impl std::fmt::Display) -> Error {
    Error::Corrupt(format!("{table}: {what}"))
}

/// What the caller is told of `error`. Neither the client's nor the server's words hold a password.
pub(crate) fn explain(error: &postgres::Error) -> Error {
    let Some(db) = error.as_db_error() else {
        return Error::Unavailable(with_causes(error));
    };
    let text = format!("{} ({})", db.message(), db.code().code());
    match *db.code() {
        SqlState::DISK_FULL | SqlState::OUT_OF_MEMORY | SqlState::PROGRAM_LIMIT_EXCEEDED => {
            Error::Full(text)
        }
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => Error::Corrupt(text),
        SqlState::INSUFFICIENT_PRIVILEGE
        | SqlState::UNDEFINED_TABLE
        | SqlState::UNDEFINED_COLUMN => Error::Unusable(text),
        _ => Error::Unavailable(text),
    }
}

fn with_causes(error: &postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
