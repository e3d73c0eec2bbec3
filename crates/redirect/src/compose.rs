//! Where a redirect really goes: destination, UTM parameters, the visitor's own query, `wp_click` (SPEC 3.3).
//!
//! - Destination: every byte stays, but parameters that UTM or `wp_click` set anew are taken out.
//! - UTM: the link's parameters, in the documents' order, each exactly once.
//! - Forwarded: the visitor's parameters whose names neither the destination nor the link has set, as they came.
//!   One that the visitor repeats stays repeated.
//! - `wp_click`: the click's id, where conversions are counted.
//! - The fragment stays last.

use std::fmt::Write;

use ahash::RandomState;
use waypost_link::Utm;

use crate::{limits, query};

/// The parameter that carries a click's id to the destination.
pub const CLICK_PARAMETER: &str = "wp_click";

/// What a location is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) destination: &'a str,
    pub(crate) utm: Option<&'a Utm>,
    /// The visitor's query, where it is forwarded.
    pub(crate) forwarded: Option<&'a [u8]>,
    /// The click's UUID, where it is passed on.
    pub(crate) click: Option<u128>,
}

/// Names seen in a destination, as hashes: a visitor may send thousands of parameters at a destination with
/// thousands, and each is looked up by a binary search.
#[derive(Debug, Default)]
pub(crate) struct Names {
    hasher: RandomState,
    seen: Vec<u64>,
}

impl Names {
    /// Empties it; what an unusual query made large is given back.
    #[inline]
    pub(crate) fn forget(&mut self) {
        self.seen.clear();
        self.seen.shrink_to(limits::SCRATCH_BYTES / size_of::<u64>());
    }

    fn read(&mut self, query: &[u8]) {
        self.seen.clear();
        for part in query::parts(query) {
            let hash = self.hash(query::pair(part).0);
            self.seen.push(hash);
        }
        self.seen.sort_unstable();
    }

    fn have(&self, name: &[u8]) -> bool {
        !self.seen.is_empty() && self.seen.binary_search(&self.hash(name)).is_ok()
    }

    fn hash(&self, name: &[u8]) -> u64 {
        use std::hash::{BuildHasher, Hasher};
        let mut hasher = self.hasher.build_hasher();
        query::decoded(name).for_each(|byte| hasher.write_u8(byte));
        hasher.finish()
    }
}

impl Parts<'_> {
    /// Whether the location is the destination, byte for byte.
    pub(crate) fn are_plain(&self) -> bool {
        self.forwarded.is_none() && self.click.is_none() && self.utm.is_none_or(Utm::is_empty)
    }

    /// Appends the location to `out`.
    pub(crate) fn write(&self, out: &mut String, names: &mut Names) {
        if self.are_plain() {
            return out.push_str(self.destination);
        }
        let (head, fragment) = split_at(self.destination, '#');
        let (path, query) = split_at(head, '?');
        out.push_str(path);
        let mut to = Query { started: !query.is_empty(), at: out.len() + query.len().min(1), out };
        self.write_own(query, &mut to);
        self.write_utm(&mut to);
        self.write_forwarded(query, &mut to, names);
        if let Some(click) = self.click {
            to.next().push_str(CLICK_PARAMETER);
            to.out.push('=');
            push_uuid(to.out, click);
        }
        out.push_str(fragment);
    }

    /// The destination's own query: verbatim, unless something in it is set anew.
    fn write_own(&self, query: &str, to: &mut Query<'_>) {
        let Some(own) = query.strip_prefix('?') else { return };
        to.out.push('?');
        if !query::parts(own.as_bytes()).any(|part| self.sets(query::pair(part).0)) {
            return to.out.push_str(own);
        }
        let mut between = "";
        for part in own.split('&') {
            if part.is_empty() || !self.sets(query::pair(part.as_bytes()).0) {
                to.out.push_str(between);
                to.out.push_str(part);
                between = "&";
            }
        }
    }

    fn write_utm(&self, to: &mut Query<'_>) {
        for (name, value) in self.utm.into_iter().flat_map(Utm::pairs) {
            let out = to.next();
            out.push_str(name);
            out.push('=');
            query::push_encoded(out, value);
        }
    }

    fn write_forwarded(&self, own: &str, to: &mut Query<'_>, names: &mut Names) {
        let Some(forwarded) = self.forwarded else { return };
        names.read(own.strip_prefix('?').unwrap_or_default().as_bytes());
        for part in query::parts(forwarded) {
            let (name, _) = query::pair(part);
            if !self.sets(name) && !names.have(name) {
                query::push_raw(to.next(), part);
            }
        }
    }

    /// Whether UTM or `wp_click` set the parameter that `name` stands for.
    fn sets(&self, name: &[u8]) -> bool {
        let utm = || self.utm.into_iter().flat_map(Utm::pairs).map(|(name, _)| name);
        (self.click.is_some() && query::stands_for(name, CLICK_PARAMETER))
            || utm().any(|set| query::stands_for(name, set))
    }
}

/// A query being written.
struct Query<'o> {
    out: &'o mut String,
    /// Whether its `?` is there (or will be, with the destination's own query).
    started: bool,
    /// Where it starts, after the `?`.
    at: usize,
}

impl Query<'_> {
    /// The end of the query, ready for another parameter.
    fn next(&mut self) -> &mut String {
        if !self.started {
            self.out.push('?');
            (self.started, self.at) = (true, self.out.len());
        } else if self.out.len() > self.at && !self.out.ends_with('&') {
            self.out.push('&');
        }
        self.out
    }
}

/// `text` before the first `mark`, and from it on.
fn split_at(text: &str, mark: char) -> (&str, &str) {
    text.split_at(text.find(mark).unwrap_or(text.len()))
}

/// The hyphenated form (RFC 9562, 4).
fn push_uuid(out: &mut String, uuid: u128) {
    let [time, mid, version, variant, node] = [
        uuid >> 96,
        uuid >> 80 & 0xffff,
        uuid >> 64 & 0xffff,
        uuid >> 48 & 0xffff,
        uuid & 0xffff_ffff_ffff,
    ];
    // Writing into a string can't fail.
    let _ = write!(out, "{time:08x}-{mid:04x}-{version:04x}-{variant:04x}-{node:012x}");
}

#[cfg(test)]
#[path = "compose_tests.rs"]
mod tests;
