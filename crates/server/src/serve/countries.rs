//! Countries of addresses, from the operator's MMDB file.

use std::{net::IpAddr, path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use waypost_redirect::Countries;

/// A database in memory.
struct Database(maxminddb::Reader<Vec<u8>>);

impl Countries for Database {
    fn country(&self, ip: IpAddr) -> Option<[u8; 2]> {
        let found = self.0.lookup(ip).ok()?;
        let path =
            [maxminddb::PathElement::Key("country"), maxminddb::PathElement::Key("iso_code")];
        let code: &str = found.decode_path(&path).ok()??;
        code.as_bytes().try_into().ok()
    }
}

/// Reads the file, where one is named.
pub(crate) fn open(path: Option<&Path>) -> Result<Option<Arc<dyn Countries>>> {
    let Some(path) = path else { return Ok(None) };
    let reader = maxminddb::Reader::open_readfile(path);
    let reader = reader.with_context(|| format!("geoip_db: {} can't be read", path.display()))?;
    Ok(Some(Arc::new(Database(reader))))
}
