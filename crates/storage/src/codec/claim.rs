//! A claim as bytes: the key under which a backend keeps who holds it.
//!
//! Only equality is ever asked of a claim, so one that is too long for a key is hashed.

use sha2::{Digest, Sha256};
use waypost_link::{Claim, DomainId};

use crate::limits::CLAIM;

/// The key of a claim; [`Claim::Scope`] has none: a remembered answer is kept by its scope.
pub fn claim(claim: &Claim) -> Option<Vec<u8>> {
    let mut key = Vec::with_capacity(32);
    match claim {
        Claim::Name(name) => {
            key.push(1);
            domain(&mut key, name.domain);
            key.extend_from_slice(name.slug.as_str().as_bytes());
        }
        Claim::Workspace(name) => text(&mut key, 2, name),
        Claim::Login(login) => text(&mut key, 3, login),
        Claim::Token(hash) => {
            key.push(4);
            key.extend_from_slice(hash);
        }
        Claim::Hostname(hostname) => text(&mut key, 5, hostname.as_str()),
        Claim::Alias(alias) => text(&mut key, 6, alias),
        Claim::AmazonStore(workspace, store) => {
            key.push(7);
            key.extend_from_slice(&workspace.0.to_be_bytes());
            key.extend_from_slice(store.as_bytes());
        }
        Claim::Alert(link, threshold) => pair(&mut key, 8, link.0, *threshold),
        Claim::Node(name) => text(&mut key, 9, name),
        Claim::Lease(link, node) => pair(&mut key, 10, link.0, *node),
        Claim::Setting(name) => text(&mut key, 11, name),
        Claim::Scope(_) => return None,
    }
    Some(shortened(key))
}

/// A domain in as few bytes as it needs: its length, then those bytes. The default one needs one.
fn domain(key: &mut Vec<u8>, domain: DomainId) {
    let bytes = domain.0.to_be_bytes();
    let zeros = domain.0.leading_zeros() as usize / 8;
    key.push((bytes.len() - zeros) as u8);
    key.extend_from_slice(&bytes[zeros..]);
}

fn text(key: &mut Vec<u8>, kind: u8, text: &str) {
    key.push(kind);
    key.extend_from_slice(text.as_bytes());
}

fn pair(key: &mut Vec<u8>, kind: u8, first: u64, second: u64) {
    key.push(kind);
    key.extend_from_slice(&first.to_be_bytes());
    key.extend_from_slice(&second.to_be_bytes());
}

/// A key that a store takes: a long one keeps its kind, marked, and becomes its SHA-256.
fn shortened(key: Vec<u8>) -> Vec<u8> {
    match key.first() {
        Some(kind) if key.len() > CLAIM => {
            let mut short = vec![kind | 0x80];
            short.extend_from_slice(&Sha256::digest(&key));
            short
        }
        _ => key,
    }
}

#[cfg(test)]
mod tests {
    use waypost_link::{Hostname, LinkId, Name, Slug, WorkspaceId};

    use super::*;

    #[test]
    fn every_claim_has_a_key_of_its_own() {
        let long = "x".repeat(600);
        let name = |domain, slug: &str| Name {
            domain: DomainId(domain),
            slug: Slug::parse(slug).unwrap(),
        };
        let claims = [
            Claim::Name(name(0, "a")),
            Claim::Name(name(1, "a")),
            Claim::Name(name(256, "a")),
            Claim::Name(name(u64::MAX, "a")),
            Claim::Name(name(0, &"é".repeat(64))),
            Claim::Workspace("a".into()),
            Claim::Login("a".into()),
            Claim::Token([1; 32]),
            Claim::Hostname(Hostname::parse("a.example").unwrap()),
            Claim::Alias("a".into()),
            Claim::Alias(long.clone()),
            Claim::Alias(format!("{long}y")),
            Claim::AmazonStore(WorkspaceId(1), "US".into()),
            Claim::AmazonStore(WorkspaceId(2), "US".into()),
            Claim::Alert(LinkId(1), 2),
            Claim::Alert(LinkId(2), 1),
            Claim::Lease(LinkId(1), 2),
            Claim::Node("a".into()),
            Claim::Node(long),
            Claim::Setting("a".into()),
        ];
        let keys: std::collections::BTreeSet<_> = claims.iter().filter_map(claim).collect();
        assert_eq!(keys.len(), claims.len());
        assert!(keys.iter().all(|key| key.len() <= CLAIM));
    }
}
