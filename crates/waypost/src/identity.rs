//! What a store carries once and for ever, the same on all its nodes: a number that says which
//! store it is, and the secret that keys visitor hashes. Both are drawn by whoever comes first.

use waypost_link::{Change, Claim, Noun, Record, Setting, Timestamp};
use waypost_storage::{Error, LinkStore, Result, transfer::STORE_ID};

/// The setting that keys visitor hashes.
const SECRET: &str = "visitor_secret";

/// Which store it is, and its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The store's random number.
    pub(crate) store: [u8; 16],
    /// Keys visitor hashes.
    pub(crate) secret: [u8; 16],
}

impl Identity {
    /// The identity of `store`, made where it is missing.
    pub(crate) fn of(store: &dyn LinkStore, now: Timestamp) -> Result<Self> {
        Ok(Self { store: number(store, STORE_ID, now)?, secret: number(store, SECRET, now)? })
    }
}

/// Which store `store` is, where that was drawn.
pub(crate) fn store(store: &dyn LinkStore) -> Result<Option<[u8; 16]>> {
    read(store, STORE_ID)
}

/// The setting `name`, drawn where it is missing.
fn number(store: &dyn LinkStore, name: &str, now: Timestamp) -> Result<[u8; 16]> {
    if let Some(number) = read(store, name)? {
        return Ok(number);
    }
    let mut number = [0; 16];
    getrandom::fill(&mut number).map_err(|error| Error::Unavailable(error.to_string()))?;
    let setting = Setting { name: name.to_owned(), value: number.to_vec(), ..Setting::default() };
    match store.commit(&[Change::PutRecord(Record::Setting(setting))], now) {
        Ok(_) => Ok(number),
        Err(Error::Taken { .. }) => read(store, name)?
            .ok_or_else(|| Error::Corrupt(format!("the setting {name} has no value"))),
        Err(error) => Err(error),
    }
}

fn read(store: &dyn LinkStore, name: &str) -> Result<Option<[u8; 16]>> {
    match store.record_holding(Noun::Setting, &Claim::Setting(name.to_owned()))? {
        Some(Record::Setting(setting)) => match setting.value.as_slice().try_into() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Error::Corrupt(format!("the setting {name} has a wrong length"))),
        },
        _ => Ok(None),
    }
}
