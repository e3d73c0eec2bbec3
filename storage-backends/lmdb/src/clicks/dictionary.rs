//! The texts of a generation of clicks, each once.
//!
//! A click names its texts by number. Numbers are dense and last as long as the generation, so
//! counts by text are kept in arrays, and nothing that a stranger sends stays in memory longer
//! than until the next flush.

use ahash::RandomState;
use hashbrown::HashTable;
use waypost_agent::{Browser, Cache, Details, Device, Os};

/// Different texts, numbered from 0 in the order they came.
#[derive(Default)]
pub(super) struct Texts {
    all: String,
    ends: Vec<u32>,
    index: HashTable<u32>,
    hasher: RandomState,
}

impl Texts {
    /// The number of `text`, and whether it is new.
    pub(super) fn intern(&mut self, text: &str) -> (u32, bool) {
        if let Some(number) = self.find(text) {
            return (number, false);
        }
        let number = self.ends.len() as u32;
        self.all.push_str(text);
        self.ends.push(self.all.len() as u32);
        let Self { all, ends, index, hasher } = self;
        index.insert_unique(hasher.hash_one(text), number, |&at| {
            hasher.hash_one(slice(all, ends, at))
        });
        (number, true)
    }

    /// The number of `text`, if it was ever seen.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        // Comparing nothing with nothing is slow where one of the two is in no memory at all.
        let same = |&at: &u32| {
            let found = self.get(at);
            found.len() == text.len() && (text.is_empty() || found == text)
        };
        self.index.find(self.hasher.hash_one(text), same).copied()
    }

    /// The text of a number that `intern` gave.
    pub(super) fn get(&self, number: u32) -> &str {
        slice(&self.all, &self.ends, number)
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    fn bytes(&self) -> usize {
        self.all.len() + 12 * self.ends.len()
    }
}

fn slice<'t>(all: &'t str, ends: &[u32], at: u32) -> &'t str {
    let start = if at == 0 { 0 } else { ends[at as usize - 1] };
    &all[start as usize..ends[at as usize] as usize]
}

/// What a user agent says, in 14 bits: browser, system, device, bot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Class(pub(super) u16);

const _: () = assert!(Browser::ALL.len() <= 64 && Os::ALL.len() <= 32 && Device::ALL.len() <= 4);

impl Class {
    pub(super) fn of(details: Details) -> Self {
        let Details { browser, os, device, bot } = details;
        let packed = (u16::from(browser.code()) << 8) | (u16::from(os.code()) << 3);
        Self(packed | (u16::from(device.code()) << 1) | u16::from(bot))
    }

    pub(super) fn is_bot(self) -> bool {
        self.0 & 1 == 1
    }

    pub(super) fn browser(self) -> u32 {
        u32::from(self.0 >> 8)
    }

    pub(super) fn os(self) -> u32 {
        u32::from((self.0 >> 3) & 31)
    }

    pub(super) fn device(self) -> u32 {
        u32::from((self.0 >> 1) & 3)
    }
}

/// All texts of a generation, by what they are.
#[derive(Default)]
pub(super) struct Dictionary {
    pub(super) agents: Texts,
    /// What each of `agents` says.
    pub(super) classes: Vec<Class>,
    pub(super) referrers: Texts,
    pub(super) languages: Texts,
    pub(super) rules: Texts,
}

impl Dictionary {
    /// The number of a user agent, which is looked into the first time.
    pub(super) fn agent(&mut self, text: &str, cache: &mut Cache) -> u32 {
        let (number, new) = self.agents.intern(text);
        if new {
            self.classes.push(Class::of(cache.details(text.as_bytes())));
        }
        number
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        [&self.agents, &self.referrers, &self.languages, &self.rules].map(Texts::bytes).iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_has_the_same_number() {
        let mut texts = Texts::default();
        for (text, number, new) in
            [("", 0, true), ("a", 1, true), ("", 0, false), ("bc", 2, true), ("a", 1, false)]
        {
            assert_eq!(texts.intern(text), (number, new));
            assert_eq!((texts.get(number), texts.find(text)), (text, Some(number)));
        }
        assert_eq!((texts.find("b"), texts.len()), (None, 3));
    }

    #[test]
    fn a_class_holds_all_details() {
        for &browser in Browser::ALL {
            for &os in Os::ALL {
                let details = Details { browser, os, device: Device::Tablet, bot: true };
                let class = Class::of(details);
                assert_eq!(class.browser(), u32::from(browser.code()));
                assert_eq!(class.os(), u32::from(os.code()));
                assert_eq!(
                    (class.device(), class.is_bot()),
                    (u32::from(Device::Tablet.code()), true)
                );
            }
        }
    }
}
