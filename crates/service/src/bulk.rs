//! Bulk creation: up to 10,000 links in one transaction, all or none.

use std::collections::HashSet;

use waypost_link::{Change, Link, LinkId, Name};
use waypost_storage::Error;

use crate::{Drawn, Fault, Result, Service, limits};

/// A link of a bulk creation.
#[derive(Clone, Debug)]
pub struct Row {
    /// The link, not yet committed.
    pub link: Link,
    /// How its code was drawn, if it was: it may be drawn anew.
    pub drawn: Option<Drawn>,
}

impl Service {
    /// Makes all of these links, or none.
    ///
    /// # Errors
    /// [`Fault::Row`] names the first row that can't be, [`Fault::Invalid`] (`links`) where there
    /// are none or over [`limits::BATCH`], [`Fault::Store`].
    pub fn create_links(&self, mut rows: Vec<Row>) -> Result<Vec<Link>> {
        if rows.is_empty() || rows.len() > limits::BATCH {
            return Err(Fault::invalid("links", "1 to 10000 links are expected"));
        }
        self.check_rows(&mut rows)?;
        for _ in 0..limits::DRAWS {
            let create = |row: &Row| Change::CreateLink(Box::new(row.link.clone()));
            let changes: Vec<Change> = rows.iter().map(create).collect();
            match self.commit(&changes) {
                Ok(done) => return Ok(made(rows, &done.ids)),
                Err(Error::Taken { index, .. }) => redraw(&mut rows, index)?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(Fault::Taken("every code that was drawn".to_owned()))
    }

    fn check_rows(&self, rows: &mut [Row]) -> Result<()> {
        let mut seen: HashSet<Name> = HashSet::with_capacity(rows.len());
        for (at, row) in rows.iter_mut().enumerate() {
            self.check_link(&row.link).map_err(|fault| fault.in_row(at))?;
            while !seen.insert(row.link.name()) {
                row.redraw(at)?;
            }
        }
        Ok(())
    }
}

impl Fault {
    /// This fault of one row of many.
    #[must_use]
    pub fn in_row(self, row: usize) -> Self {
        Self::Row { row, fault: Box::new(self) }
    }
}

fn redraw(rows: &mut [Row], at: usize) -> Result<()> {
    match rows.get_mut(at) {
        Some(row) => row.redraw(at),
        None => Err(Fault::Store(Error::Unavailable("the commit was refused".to_owned()))),
    }
}

impl Row {
    /// Another code for this row, `at` its place among the others, if it isn't the caller's own.
    fn redraw(&mut self, at: usize) -> Result<()> {
        match self.drawn {
            Some(drawn) => self.link.slug = drawn.draw()?,
            None => return Err(Fault::Taken(format!("the code {}", self.link.slug)).in_row(at)),
        }
        Ok(())
    }
}

fn made(rows: Vec<Row>, ids: &[u64]) -> Vec<Link> {
    let links = rows.into_iter().zip(ids);
    links.map(|(row, &id)| Link { id: LinkId(id), version: 1, ..row.link }).collect()
}

#[cfg(test)]
mod tests {
    use waypost_link::{Slug, WorkspaceId};

    use super::*;
    use crate::testing::{draft, link, service};

    fn row(service: &Service, workspace: WorkspaceId, code: Option<&str>) -> Row {
        let link = service.link_of(&draft(service, workspace, code)).unwrap();
        Row { link, drawn: code.is_none().then_some(Drawn::Short) }
    }

    #[test]
    fn all_or_none() {
        let (service, workspace) = service();
        link(&service, workspace, "taken");
        let rows = |codes: &[Option<&str>]| -> Vec<Row> {
            codes.iter().map(|code| row(&service, workspace, *code)).collect()
        };
        for (codes, wrong) in [
            (&[Some("a"), Some("taken"), None][..], Some(1)),
            (&[Some("a"), None, Some("a")], Some(2)),
            (&[Some("a"), None, Some("b")], None),
        ] {
            let before = service.store.link_count(None).unwrap();
            match (service.create_links(rows(codes)), wrong) {
                (Ok(links), None) => {
                    assert_eq!(service.store.link_count(None).unwrap(), before + 3);
                    for link in &links {
                        assert_eq!(service.store.link(link.id).unwrap().as_ref(), Some(link));
                    }
                }
                (Err(Fault::Row { row, fault }), Some(wrong)) => {
                    assert_eq!(row, wrong);
                    assert!(matches!(*fault, Fault::Taken(_)), "{fault}");
                    assert_eq!(service.store.link_count(None).unwrap(), before);
                }
                other => panic!("{codes:?}: {other:?}"),
            }
        }
        for many in [vec![], vec![row(&service, workspace, None); limits::BATCH + 1]] {
            let refused = service.create_links(many);
            assert!(matches!(refused, Err(Fault::Invalid { field: "links", .. })));
        }
    }

    #[test]
    fn a_code_that_was_drawn_is_drawn_anew() {
        let (service, workspace) = service();
        link(&service, workspace, "taken");
        let mut rows = vec![row(&service, workspace, Some("a")); 3];
        (rows[1].drawn, rows[2].drawn) = (Some(Drawn::Short), Some(Drawn::Short));
        rows[2].link.slug = Slug::parse("taken").unwrap();
        let links = service.create_links(rows).unwrap();
        assert_eq!(links[0].slug.as_str(), "a");
        assert!(links[1..].iter().all(|link| link.slug.as_str().len() == 8));
    }
}
