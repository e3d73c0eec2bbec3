//! Room for large bodies: at most [`limits::LARGE_BODIES`] are on their way or being worked on at once.
//!
//! A place is taken when the head has come and given back when the answer is ready. A connection
//! that dies in between says nothing, so a place is also free once no body can still be on its way
//! and no sane answer still be worked on.

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::limits;

/// A body must be whole within the engine's time limit, which is below this by default.
const STALE: Duration = Duration::from_secs(60);

/// Who has which place, and since when.
#[derive(Debug, Default)]
pub(crate) struct Places(Mutex<[Option<(SocketAddr, Instant)>; limits::LARGE_BODIES]>);

impl Places {
    /// Takes a place for the connection from `peer`; false where there is none.
    pub(crate) fn take(&self, peer: SocketAddr, now: Instant) -> bool {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let free = |place: &&mut Option<(SocketAddr, Instant)>| {
            place.is_none_or(|(holder, since)| holder == peer || now.duration_since(since) > STALE)
        };
        match places.iter_mut().find(free) {
            Some(place) => *place = Some((peer, now)),
            None => return false,
        }
        true
    }

    /// Whether the connection from `peer` has a place.
    pub(crate) fn has(&self, peer: SocketAddr) -> bool {
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.iter().flatten().any(|(holder, _)| *holder == peer)
    }

    /// Gives back the place of the connection from `peer`, if it has one.
    pub(crate) fn free(&self, peer: SocketAddr) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for place in places.iter_mut().filter(|p| p.is_some_and(|(holder, _)| holder == peer)) {
            *place = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_places_and_stale_ones_are_free() {
        let (places, start) = (Places::default(), Instant::now());
        let peer = |port| SocketAddr::from(([192, 0, 2, 1], port));
        assert!(places.take(peer(1), start) && places.take(peer(2), start));
        assert!(!places.take(peer(3), start) && !places.has(peer(3)));
        assert!(places.take(peer(1), start), "its own place");
        places.free(peer(2));
        assert!(places.take(peer(3), start) && places.has(peer(3)));
        assert!(places.take(peer(4), start + STALE * 2));
    }
}
