//! How many connections one address may hold: off unless asked for, and never for trusted proxies, behind which everybody
//! has the same address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

type Exempt = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// A cap on the connections of one peer address.
#[derive(Clone)]
pub struct PerIp {
    max: u32,
    exempt: Exempt,
}

impl std::fmt::Debug for PerIp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PerIp").field("max", &self.max).finish_non_exhaustive()
    }
}

impl PerIp {
    /// At most `max` connections an address, except for addresses that `exempt` knows.
    pub fn new(max: u32, exempt: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self { max, exempt: Arc::new(exempt) }
    }
}

/// The count of connections by address. It holds an entry per address with an open connection, so the connection cap
/// bounds it.
#[derive(Debug)]
pub(crate) struct Ledger {
    rule: PerIp,
    counts: Mutex<HashMap<IpAddr, u32>>,
}

impl Ledger {
    pub(crate) fn new(rule: PerIp) -> Self {
        Self { rule, counts: Mutex::new(HashMap::new()) }
    }

    /// Counts a connection; `Err` if its address has too many. `Ok(None)` needs no [`Ledger::leave`].
    pub(crate) fn enter(&self, ip: IpAddr) -> Result<Option<IpAddr>, ()> {
        let ip = ip.to_canonical();
        if (self.rule.exempt)(ip) {
            return Ok(None);
        }
        let mut counts = self.counts.lock();
        let count = counts.entry(ip).or_default();
        if *count >= self.rule.max {
            if *count == 0 {
                counts.remove(&ip);
            }
            return Err(());
        }
        *count += 1;
        Ok(Some(ip))
    }

    pub(crate) fn leave(&self, ip: IpAddr) {
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(&ip) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cap_counts_open_connections_of_strangers() {
        let proxy = IpAddr::from([10, 0, 0, 1]);
        let stranger = IpAddr::from([192, 0, 2, 1]);
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        let ledger = Ledger::new(PerIp::new(2, move |ip| ip == proxy));
        assert_eq!(ledger.enter(stranger), Ok(Some(stranger)));
        assert_eq!(ledger.enter(mapped), Ok(Some(stranger)));
        assert_eq!(ledger.enter(stranger), Err(()));
        for _ in 0..5 {
            assert_eq!(ledger.enter(proxy), Ok(None));
        }
        ledger.leave(stranger);
        assert_eq!(ledger.enter(stranger), Ok(Some(stranger)));
        ledger.leave(stranger);
        ledger.leave(stranger);
        assert!(ledger.counts.lock().is_empty());
    }
}
