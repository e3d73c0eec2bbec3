//! A tenant: a workspace with a key, what it knows of its own objects, and all that it has.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::Value;

use super::Stage;
use crate::support::Data;

/// Objects of a kind that a tenant keeps; more are deleted, so that a long run stays quick.
const KEPT: usize = 40;

/// What a name in a request stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Link,
    Uuid,
    Hex,
    Code,
    Collection,
    Group,
    Tag,
    Pixel,
    Key,
    /// The keys that it calls with: only the other tries to revoke them.
    Own,
    Domain,
    Hostname,
    Workspace,
    Job,
    Cursor,
}

/// Lists: the kind, where it is, the list's name, the field that names an object, where one is deleted.
const LISTS: &[(Kind, &str, &str, &str, &str)] = &[
    (Kind::Link, "/api/links?include_archived=1&limit=1000", "links", "id", "/api/links/"),
    (Kind::Collection, "/api/collections", "collections", "id", "/api/collections/"),
    (Kind::Tag, "/api/amazon-tags", "tags", "id", "/api/amazon-tags/"),
    (Kind::Pixel, "/api/tracking-pixels", "pixels", "id", "/api/tracking-pixels/"),
    (Kind::Key, "/api/api-keys", "keys", "id", "/api/api-keys/"),
    (Kind::Domain, "/api/domains", "domains", "id", "/api/domains/"),
    (Kind::Code, "/api/links?include_archived=1&limit=1000", "links", "code", ""),
    (Kind::Group, "/api/collections", "collections", "name", ""),
    (Kind::Hostname, "/api/domains", "domains", "hostname", ""),
    (Kind::Hex, "/api/v1/workspace/{workspace}/tracking-links", "links", "id", ""),
];

pub(super) struct Tenant {
    pub(super) name: &'static str,
    /// In everything that it writes.
    pub(super) mark: String,
    pub(super) login: String,
    pub(super) token: String,
    workspace: String,
    /// A key that only looks, and is never drawn.
    looker: (String, String),
    known: BTreeMap<Kind, Vec<String>>,
}

impl Tenant {
    pub(super) fn new(data: &Data, name: &'static str) -> Self {
        data.ok(&["workspace", "create", name]);
        let mark = format!("marked{name}s");
        for (setting, value) in [("base_url", "example"), ("profile.LinkedIn", "profile.example")] {
            data.ok(&["workspace", "set", name, setting, &format!("https://{mark}.{value}/")]);
        }
        let key = || {
            let key = data.ok(&["key", "create", "--workspace", name, "--role", "owner", "--json"]);
            let key: Value = serde_json::from_str(&key).expect("JSON");
            ["workspace_id", "login", "token"]
                .map(|field| key[field].as_str().unwrap_or_default().to_owned())
        };
        let ([workspace, login, token], [_, looks, looker]) = (key(), key());
        let known = BTreeMap::from([
            (Kind::Workspace, vec![workspace.clone()]),
            (
                Kind::Job,
                (0..4).map(|n| format!("550e8400-e29b-41d4-a716-44665544000{n}")).collect(),
            ),
        ]);
        Self { name, mark, login, token, workspace, looker: (looks, looker), known }
    }

    /// One of its own; `None` where it has none.
    pub(super) fn one(&self, rng: &mut Rng, kind: Kind) -> Option<String> {
        let known = self.known.get(&kind)?;
        (!known.is_empty()).then(|| known[rng.usize(..known.len())].clone())
    }

    /// Keeps in mind what an answer names that no list shows.
    pub(super) fn learn(&mut self, body: &str) {
        let Ok(answer) = serde_json::from_str::<Value>(body) else { return };
        let uuid = [&answer["id"], &answer["link"]["id"]].into_iter().find_map(Value::as_str);
        let uuid = uuid.filter(|id| id.len() == 36).map(|id| (Kind::Uuid, id));
        let cursor =
            [&answer["next_cursor"], &answer["nextCursor"]].into_iter().find_map(Value::as_str);
        for (kind, value) in uuid.into_iter().chain(cursor.map(|cursor| (Kind::Cursor, cursor))) {
            let known = self.known.entry(kind).or_default();
            known.push(value.to_owned());
            if known.len() > KEPT {
                known.remove(0);
            }
        }
    }

    /// Looks at what there is of its own, and deletes the oldest of what is too much.
    pub(super) fn refresh(&mut self, stage: &mut Stage) {
        for &(kind, path, noun, field, delete) in LISTS {
            let listed = self.list(stage, path);
            let rows = listed[noun].as_array().unwrap_or_else(|| panic!("{path}: {listed}"));
            let own = [self.login.as_str(), &self.looker.0];
            let (own, rows): (Vec<_>, Vec<_>) =
                rows.iter().partition(|row| own.iter().any(|login| row["login"] == *login));
            if kind == Kind::Key {
                self.known.insert(Kind::Own, own.iter().map(|row| text(&row[field])).collect());
            }
            let mut known: Vec<_> = rows.iter().map(|row| text(&row[field])).collect();
            for old in known.split_off(known.len().min(KEPT)).iter().filter(|_| !delete.is_empty())
            {
                assert_eq!(
                    stage.call("DELETE", &format!("{delete}{old}"), &self.looker.1).status,
                    200
                );
            }
            // What the other may send is no proof of reading.
            known.retain(|name| !name.contains(&self.mark));
            self.known.insert(kind, known);
        }
    }

    fn list(&self, stage: &mut Stage, path: &str) -> Value {
        let path = path.replace("{workspace}", &self.workspace);
        let answer = stage.call("GET", &path, &self.looker.1);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).expect("JSON")
    }

    /// Takes out what looking itself changes: the looking key's last use, and when a hostname was looked up.
    fn still(&self, listed: &mut Value) {
        for (noun, field) in [("keys", "last_used_at"), ("domains", "cf_last_synced_at")] {
            let Some(Value::Array(rows)) = listed.get_mut(noun) else { continue };
            for row in rows {
                if noun == "domains" || row["login"] == self.looker.0.as_str() {
                    row[field] = Value::Null;
                }
            }
        }
    }

    /// All that it has: every list, every link's clicks, its export and its settings.
    pub(super) fn everything(&self, stage: &mut Stage) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (_, path, ..) in LISTS {
            let mut listed = self.list(stage, path);
            self.still(&mut listed);
            all.push(((*path).to_owned(), listed.to_string()));
        }
        let (login, pass) = &self.looker;
        let list = format!("/api/v1_0/getLinks?login={login}&pass={pass}&limit=1000&format=json");
        all.push((list.clone(), stage.call("GET", &list, pass).body));
        for code in self.known.get(&Kind::Code).into_iter().flatten() {
            let path = format!("/api/link-tracking/analytics/{code}");
            all.push((path.clone(), stage.call("GET", &path, pass).body));
        }
        let export = ["export", "-", "--format", "jsonl", "--workspace", self.name];
        all.push(("its export".to_owned(), stage.data.ok(&export)));
        let settings = stage.data.ok(&["workspace", "list", "--json"]);
        let settings: Value = serde_json::from_str(&settings).expect("JSON");
        let own = settings
            .as_array()
            .and_then(|all| all.iter().find(|one| one["workspace"] == self.name));
        all.push(("its settings".to_owned(), own.expect("the workspace").to_string()));
        all
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
