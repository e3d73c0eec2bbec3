//! The secret that keys visitor hashes: drawn once a store, the same on all its nodes.

use waypost_link::{Change, Claim, Noun, Record, Setting, Timestamp};
use waypost_storage::{Error, LinkStore, Result};

const NAME: &str = "visitor_secret";

/// The store's secret, made where it is missing.
pub(crate) fn visitor_secret(store: &dyn LinkStore, now: Timestamp) -> Result<[u8; 16]> {
    if let Some(secret) = read(store)? {
        return Ok(secret);
    }
    let mut secret = [0; 16];
    getrandom::fill(&mut secret).map_err(|error| Error::Unavailable(error.to_string()))?;
    let setting = Setting { name: NAME.to_owned(), value: secret.to_vec(), ..Setting::default() };
    match store.commit(&[Change::PutRecord(Record::Setting(setting))], now) {
        Ok(_) => Ok(secret),
        Err(Error::Taken { .. }) => {
            read(store)?.ok_or_else(|| Error::Corrupt(format!("the setting {NAME} has no value")))
        }
        Err(error) => Err(error),
    }
}

fn read(store: &dyn LinkStore) -> Result<Option<[u8; 16]>> {
    let Some(id) = store.holder(&Claim::Setting(NAME.to_owned()))? else { return Ok(None) };
    match store.record(Noun::Setting, id)? {
        Some(Record::Setting(setting)) => match setting.value.as_slice().try_into() {
            Ok(secret) => Ok(Some(secret)),
            Err(_) => Err(Error::Corrupt(format!("the setting {NAME} has a wrong length"))),
        },
        _ => Ok(None),
    }
}
