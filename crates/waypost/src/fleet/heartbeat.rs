//! The heartbeat: a node's own record, written every few seconds.
//!
//! A store that is away is asked again at the next beat. A record that is gone was forgotten by
//! somebody: the node is a new one from then on. A record that somebody else has written means that
//! two processes go under one name, which no data directory does that was not copied with its disk.

use waypost_link::{Change, Claim, Node, NodeId, Noun, Record, Revision, Timestamp};
use waypost_storage::{Error, LinkStore, Result};

use super::Name;

/// A node's record, and what it last wrote of itself.
pub(crate) struct Heartbeat {
    name: Name,
    id: Option<NodeId>,
    /// The last beat that is known to be stored, and the last that was tried.
    written: [Option<Timestamp>; 2],
    /// Another process goes under this name.
    pub(crate) rivalled: bool,
}

impl Heartbeat {
    /// That of the node of this name, before its first beat.
    pub(crate) fn new(name: Name) -> Self {
        Self { name, id: None, written: [None; 2], rivalled: false }
    }

    /// Writes that the node is there, with its index at `applied`; its id.
    pub(crate) fn beat(
        &mut self,
        links: &dyn LinkStore,
        applied: Revision,
        now: Timestamp,
    ) -> Result<NodeId> {
        let stored = self.stored(links)?;
        self.look_for_rivals(stored.as_ref());
        let id = stored.map_or(NodeId(0), |node| node.id);
        let node = Node {
            id,
            name: self.name.as_str().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            applied: applied.0,
            seen_at: now,
        };
        self.written[1] = Some(now);
        let done = links.commit(&[Change::PutRecord(Record::Node(node))], now)?;
        self.written[0] = Some(now);
        let id = done.ids.first().copied().map(NodeId);
        let id = id.ok_or_else(|| Error::Corrupt("a commit without ids".to_owned()))?;
        self.id = Some(id);
        Ok(id)
    }

    /// The record as it is stored.
    fn stored(&self, links: &dyn LinkStore) -> Result<Option<Node>> {
        let name = || Claim::Node(self.name.as_str().to_owned());
        let record = match self.id {
            Some(id) => links.record(Noun::Node, id.0)?,
            None => links.record_holding(Noun::Node, &name())?,
        };
        match record {
            Some(Record::Node(node)) => Ok(Some(node)),
            _ => Ok(None),
        }
    }

    fn look_for_rivals(&mut self, stored: Option<&Node>) {
        let (Some(stored), [Some(_), _]) = (stored, self.written) else { return };
        let others = !self.written.contains(&Some(stored.seen_at));
        if others && !self.rivalled {
            let node = self.name.as_str();
            tracing::error!(
                node,
                "another process goes under this node's name; stop one of them, delete the file \
                 `node` in its data directory, and start it again"
            );
        }
        self.rivalled = others;
    }
}

#[cfg(test)]
mod tests {
    use waypost_storage::memory::MemoryStore;

    use super::*;

    #[test]
    fn a_node_is_written_found_again_and_new_after_it_was_forgotten() {
        let dir = std::env::temp_dir().join(format!("waypost-beat-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let name = Name::of(&dir).unwrap();
        let store = MemoryStore::new(|_| Default::default());
        let mut beat = Heartbeat::new(name.clone());
        let mut again = Heartbeat::new(name);
        let at =
            |beat: &mut Heartbeat, now| beat.beat(&store, Revision(7), Timestamp(now)).unwrap();
        assert_eq!([1, 2].map(|now| at(&mut beat, now)), [NodeId(1); 2]);
        assert_eq!(at(&mut again, 3), NodeId(1), "a restart finds its record");
        assert!(!again.rivalled && !beat.rivalled);
        at(&mut beat, 4);
        assert!(beat.rivalled, "it was not gone");
        at(&mut beat, 5);
        assert!(!beat.rivalled, "now it is");
        let gone = Change::DeleteRecord { noun: Noun::Node, id: 1 };
        store.commit(&[gone], Timestamp(6)).unwrap();
        assert_eq!(at(&mut beat, 7), NodeId(2));
        let (nodes, _) = super::super::nodes(&store).unwrap();
        let [node] = &*nodes else { panic!("{nodes:?}") };
        assert_eq!((node.applied, node.seen_at, node.id), (7, Timestamp(7), NodeId(2)));
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
