//! The model's pieces. A cursor is how many came before.

use waypost_link::{LinkId, Noun};

use super::{
    MemoryStore,
    clicks::{Clicks, Whose},
    links::Links,
};
use crate::{
    Error, Page, Result, Transfer, codec,
    transfer::{Extra, Owner, Part, Piece},
};

impl Transfer for MemoryStore {
    fn pieces(
        &self,
        part: Part,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<Piece, Vec<u8>>> {
        let all = match part.is_of_clicks() {
            true => of_clicks(&self.clicks.lock(), part),
            false => of_links(&self.links.lock(), part),
        };
        let before = after.and_then(|after| after.try_into().ok()).map_or(0, usize::from_be_bytes);
        let end = before.saturating_add(crate::page_limit(limit));
        let next = (end < all.len()).then(|| end.to_be_bytes().to_vec());
        Ok(Page { items: all.into_iter().take(end).skip(before).collect(), next })
    }

    fn restore(&self, part: Part, pieces: &[Piece], note: &[u8]) -> Result<()> {
        let (mut links, mut clicks) = (self.links.lock(), self.clicks.lock());
        for piece in pieces {
            match part.is_of_clicks() {
                true => put_click(&mut clicks, piece),
                false => put_link(&mut links, piece),
            }
            .ok_or_else(|| Error::Corrupt(format!("a piece that is none of {part:?}")))?;
        }
        self.notes.lock().insert(part, note.to_vec());
        Ok(())
    }

    fn note(&self, part: Part) -> Result<Option<Vec<u8>>> {
        Ok(self.notes.lock().get(&part).cloned())
    }

    fn forget_notes(&self) -> Result<()> {
        self.notes.lock().clear();
        Ok(())
    }
}

fn of_links(links: &Links, part: Part) -> Vec<Piece> {
    match part {
        Part::Answers => links.remembered.values().cloned().map(Piece::Answer).collect(),
        Part::State => {
            let of = |noun| links.last_ids.get(&noun).copied().unwrap_or(0);
            let mut ids = vec![of(None); Noun::ALL.len() + 1];
            for noun in Noun::ALL {
                ids[usize::from(codec::noun(noun))] = of(Some(noun));
            }
            vec![Piece::State(links.head, ids)]
        }
        _ => Vec::new(),
    }
}

fn of_clicks(clicks: &Clicks, part: Part) -> Vec<Piece> {
    match part {
        Part::Purged => clicks.purged.iter().copied().map(Piece::Purged).collect(),
        Part::Buckets => buckets(clicks),
        Part::Extras => {
            let of = |(&link, extra): (&LinkId, &super::clicks::Extra)| {
                let super::clicks::Extra { workspace, spent, first, last } = *extra;
                Piece::Extra(Extra { link, workspace, spent, first, last })
            };
            clicks.links.iter().map(of).collect()
        }
        Part::Dedupe => clicks.dedupe.iter().map(|(key, id)| Piece::Dedupe(*key, *id)).collect(),
        Part::Conversions => {
            let all = clicks.converted.iter();
            all.map(|(id, (at, value))| Piece::Conversion(*id, *at, value.clone())).collect()
        }
        Part::Retention => clicks.trimmed.into_iter().map(Piece::Retention).collect(),
        _ => Vec::new(),
    }
}

fn buckets(clicks: &Clicks) -> Vec<Piece> {
    let piece = |(&(whose, grain, start), counts): (&(Whose, _, _), &crate::Counts)| {
        let (owner, workspace) = match whose {
            Whose::Link(link) => (Owner::Link(link), clicks.links.get(&link)?.workspace),
            Whose::Workspace(workspace) => (Owner::Workspace, workspace),
        };
        let counts = Box::new(counts.clone());
        Some(Piece::Bucket { workspace, owner, grain, start, counts })
    };
    clicks.buckets.iter().filter_map(piece).collect()
}

fn put_link(links: &mut Links, piece: &Piece) -> Option<()> {
    match piece {
        Piece::Link(link) => {
            links.claims.insert(link.claim(), link.id.0);
            links.links.insert(link.id, (**link).clone());
        }
        Piece::Record(record) => {
            let key = (record.noun(), record.id());
            links.claims.extend(record.claims().into_iter().map(|claim| (claim, key.1)));
            links.records.insert(key, (**record).clone());
        }
        Piece::Answer(answer) => drop(links.remembered.insert(answer.scope, answer.clone())),
        Piece::State(head, ids) => {
            links.head = *head;
            let nouns = Noun::ALL.map(|noun| (Some(noun), usize::from(codec::noun(noun))));
            for (noun, at) in nouns.into_iter().chain([(None, 0)]) {
                links.last_ids.insert(noun, ids.get(at).copied().unwrap_or(0));
            }
        }
        _ => return None,
    }
    Some(())
}

fn put_click(clicks: &mut Clicks, piece: &Piece) -> Option<()> {
    match piece {
        Piece::Purged(link) => drop(clicks.purged.insert(*link)),
        Piece::Bucket { workspace, owner, grain, start, counts } => {
            let whose = match owner {
                Owner::Link(link) => Whose::Link(*link),
                Owner::Workspace => Whose::Workspace(*workspace),
            };
            if let Owner::Link(link) = owner {
                clicks.extra(*link, *workspace);
            }
            let bucket = clicks.buckets.entry((whose, *grain, *start)).or_default();
            bucket.merge(counts);
            bucket.limit();
        }
        Piece::Extra(more) => {
            let extra = clicks.extra(more.link, more.workspace);
            extra.spent += more.spent;
            extra.first = extra.first.into_iter().chain(more.first).min();
            extra.last = extra.last.max(more.last);
        }
        Piece::Click(click) => clicks.keep((**click).clone()),
        Piece::Dedupe(key, id) => drop(clicks.dedupe.insert(*key, *id)),
        Piece::Conversion(id, at, value) => {
            clicks.converted.insert(*id, (*at, value.clone()));
        }
        Piece::Retention(time) => clicks.trimmed = Some(*time),
        _ => return None,
    }
    Some(())
}
