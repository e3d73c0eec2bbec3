//! Random calls, made of the document: an operation, its parameters, a body of its schema.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::tenant::{Kind, Tenant};
use crate::dialects::contract::{Contract, Operation};

/// What a name stands for, where it stands: (what the path begins with, the name, the kind).
const NAMES: &[(&str, &str, Kind)] = &[
    ("/api/links/", "id", Kind::Link),
    ("/api/stats/link/", "id", Kind::Link),
    ("/api/v1/link/", "id", Kind::Uuid),
    ("/api/v1/workspace/", "id", Kind::Hex),
    ("/api/collections/", "id", Kind::Collection),
    ("/api/amazon-tags/", "id", Kind::Tag),
    ("/api/tracking-pixels/", "id", Kind::Pixel),
    ("/api/api-keys/", "id", Kind::Key),
    ("/api/domains/", "id", Kind::Domain),
    ("", "tracking_id", Kind::Code),
    ("", "shortCode", Kind::Code),
    ("", "redirect_hash", Kind::Code),
    ("", "links", Kind::Code),
    ("", "code", Kind::Code),
    ("", "vanity_link", Kind::Code),
    ("", "q", Kind::Code),
    ("", "collection_id", Kind::Collection),
    ("", "group", Kind::Group),
    ("", "groups", Kind::Group),
    ("", "host", Kind::Hostname),
    ("", "domain", Kind::Hostname),
    ("", "hostname", Kind::Hostname),
    ("", "workspaceId", Kind::Workspace),
    ("", "job_id", Kind::Job),
    ("", "application_id", Kind::Job),
    ("", "cursor", Kind::Cursor),
];

/// Names that stand for one of these, whoever asks.
const WORDS: &[(&str, &[&str])] = &[
    ("type", &["vcard", "storefront"]),
    ("format", &["json", "xml"]),
    ("order", &["asc", "desc"]),
    ("status", &["301", "302", "307", "308"]),
    ("store", &["US", "UK", "DE", "FR"]),
    ("tag", &["marked-20", "marked2-21"]),
    ("platform", &["meta", "tiktok"]),
    ("pixel_id", &["1234567890", "987654321"]),
    ("provider", &["self"]),
    ("role", &["owner", "staff"]),
    ("permissions", &["links.read", "stats.read"]),
    ("color", &["#3b82f6", "#112233"]),
    ("rotator_alias", &["topPicks2026", "topPicks2027", "aliasOfMine"]),
    ("limit", &["1", "5", "100"]),
    ("days", &["1", "14", "30"]),
    ("country", &["US", "DE"]),
    ("ip", &["203.0.113.7"]),
    ("ip_address", &["203.0.113.7", "2001:db8::1"]),
    ("session_id", &["s1", "s2"]),
    ("expires_at", &["2099-01-01", "2099-01-01T00:00:00Z"]),
    ("expiresAt", &["2099-01-01T00:00:00Z"]),
    ("valid_from", &["2020-01-01T00:00:00Z"]),
    ("time", &["2026-01-01T00:00:00Z"]),
    ("clicked_at", &["2026-01-01T00:00:00Z", "2026-01-02T03:04:05Z"]),
    ("startDate", &["2026-01-01"]),
    ("endDate", &["2026-01-07"]),
    ("include_archived", &["0", "1"]),
    ("max_clicks", &["1000"]),
    ("deactivate_at", &["1000"]),
    ("alert_at", &["500"]),
];

/// Never sent: hashing a password takes as long as hundreds of calls; dates that are too far back, and sorts, are
/// what other tests are about.
const LEFT_OUT: &[&str] = &["password", "start_date", "end_date", "sort"];

/// Short keys, so that both tenants use the same ones.
const IDEMPOTENCY_KEYS: u32 = 20;

/// Operations to draw from.
pub(super) struct Calls {
    contract: Contract,
}

/// One call, as it is sent.
pub(super) struct Drawn {
    pub(super) operation: String,
    pub(super) request: String,
}

/// Who calls, and whose names are borrowed.
struct Draw<'a> {
    contract: &'a Contract,
    rng: &'a mut Rng,
    active: &'a Tenant,
    resting: &'a Tenant,
    path: &'a str,
}

impl Calls {
    pub(super) fn of(contract: Contract) -> Self {
        Self { contract }
    }

    pub(super) fn draw(&self, rng: &mut Rng, active: &Tenant, resting: &Tenant) -> Drawn {
        let keyed = |one: &Operation<'_>| {
            one.operation["security"].as_array().is_some_and(|needs| !needs.is_empty())
        };
        let operations: Vec<_> = self.contract.operations().filter(keyed).collect();
        let Operation { path, method, operation } = operations[rng.usize(..operations.len())];
        let mut draw = Draw { contract: &self.contract, rng, active, resting, path };
        let (target, mut head) = draw.target(operation);
        let body = draw.body(operation);
        if let Some((kind, body)) = &body {
            head += &format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len());
        }
        let request = format!(
            "{} {target} HTTP/1.1\r\nHost: yourdomain.com\r\nAuthorization: Bearer {}\r\n{head}\r\n{}",
            method.to_ascii_uppercase(),
            active.token,
            body.map(|(_, body)| body).unwrap_or_default()
        );
        Drawn { operation: operation["operationId"].as_str().expect("an id").to_owned(), request }
    }
}

impl Draw<'_> {
    /// The path with its query, and further header fields.
    fn target(&mut self, operation: &Value) -> (String, String) {
        let (mut target, mut query, mut head) = (self.path.to_owned(), Vec::new(), String::new());
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let contract = self.contract;
            let parameter = contract.resolved(parameter);
            let name = parameter["name"].as_str().expect("a name");
            let wanted = parameter["required"] == true || self.rng.u8(..4) == 0;
            match parameter["in"].as_str() {
                Some("path") => {
                    let value = self.text(name, &parameter["schema"]);
                    target = target.replace(&format!("{{{name}}}"), &encoded(&value));
                }
                Some("query") if wanted && !LEFT_OUT.contains(&name) => {
                    let value = self.text(name, &parameter["schema"]);
                    query.push(format!("{name}={}", encoded(&value)));
                }
                Some("header") if self.rng.u8(..4) == 0 => {
                    head += &format!("{name}: k{}\r\n", self.rng.u32(..IDEMPOTENCY_KEYS));
                }
                _ => {}
            }
        }
        if !query.is_empty() {
            target = format!("{target}?{}", query.join("&"));
        }
        (target, head)
    }

    /// The body's type, and the body.
    fn body(&mut self, operation: &Value) -> Option<(&'static str, String)> {
        let content = &operation["requestBody"]["content"];
        if let Some(form) = content.get("application/x-www-form-urlencoded") {
            let fields = self.value("", &form["schema"], 0);
            let fields = fields.as_object().cloned().unwrap_or_default();
            let plain =
                |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let pairs = fields.iter().filter(|(_, value)| !value.is_null());
            let pairs: Vec<_> =
                pairs.map(|(name, value)| format!("{name}={}", encoded(&plain(value)))).collect();
            return Some(("application/x-www-form-urlencoded", pairs.join("&")));
        }
        let schema = content.get("application/json")?;
        Some(("application/json", self.value("", &schema["schema"], 0).to_string()))
    }

    /// Something for a schema; what is not required comes and goes.
    fn value(&mut self, name: &str, schema: &Value, depth: usize) -> Value {
        let contract = self.contract;
        let schema = contract.resolved(schema);
        match name {
            "rules" | "traffic_routing" => return self.rules(),
            "scripts" | "retargeting_scripts" => {
                return json!([{"id": "s", "placement": "head", "script": format!("track('{}')", self.active.mark)}]);
            }
            _ => {}
        }
        if let Some(properties) = schema["properties"].as_object() {
            return self.object(schema, properties, depth);
        }
        match kind_of(schema) {
            "object" => json!({ "note": self.active.mark }),
            "array" if depth < 3 => {
                let items = (0..self.rng.usize(1..3))
                    .map(|_| self.value(name, &schema["items"], depth + 1));
                items.collect()
            }
            "array" => json!([]),
            "boolean" => json!(self.rng.u8(..3) != 0),
            "integer" | "number" => {
                let text = self.text(name, schema);
                text.parse::<u64>().map_or_else(|_| json!(text), Value::from)
            }
            _ => Value::from(self.text(name, schema)),
        }
    }

    fn object(&mut self, schema: &Value, properties: &Map<String, Value>, depth: usize) -> Value {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let mut out = Map::new();
        for (name, schema) in properties {
            let needed = required.iter().any(|one| one == name)
                || ["destination_url", "longUrl", "name", "tag", "pixel_id"]
                    .contains(&name.as_str());
            let wanted =
                if needed { self.rng.u8(..20) != 0 } else { self.rng.usize(..4 + 4 * depth) == 0 };
            if wanted && !LEFT_OUT.contains(&name.as_str()) {
                let value = self.value(name, schema, depth + 1);
                let value = if !needed && self.rng.u8(..12) == 0 { Value::Null } else { value };
                out.insert(name.clone(), value);
            }
        }
        Value::Object(out)
    }

    fn rules(&mut self) -> Value {
        json!([{"id": "r", "condition": "geo", "value": "US", "destination": self.url()}])
    }

    /// A text for a parameter or field of this name.
    fn text(&mut self, name: &str, schema: &Value) -> String {
        match name {
            "login" => return self.whose().login.clone(),
            "pass" => return self.active.token.clone(),
            "code" | "vanity_link" if self.rng.bool() => return format!("n{}", self.rng.u32(..)),
            "name" if self.path == "/api/collections" => return self.named(Kind::Group),
            _ => {}
        }
        let named =
            |(path, known, _): &&(&str, &str, Kind)| *known == name && self.path.starts_with(path);
        if let Some((.., kind)) = NAMES.iter().find(named) {
            return self.named(*kind);
        }
        if let Some((_, words)) = WORDS.iter().find(|(known, _)| *known == name) {
            return words[self.rng.usize(..words.len())].to_owned();
        }
        let lower = name.to_ascii_lowercase();
        if lower.contains("url") || lower == "destination" || lower == "company_website" {
            return self.url();
        }
        match kind_of(self.contract.resolved(schema)) {
            "integer" => self.rng.u8(..2).to_string(),
            "boolean" => "true".to_owned(),
            _ => format!("{} {}", self.active.mark, self.rng.u8(..)),
        }
    }

    /// The caller's own name of this kind, the other's, or one of nothing yet.
    fn named(&mut self, kind: Kind) -> String {
        let from = match self.rng.u8(..10) {
            0..6 => self.active.one(self.rng, kind),
            6..9 if kind == Kind::Key && self.rng.bool() => self.resting.one(self.rng, Kind::Own),
            6..9 => self.resting.one(self.rng, kind),
            _ => None,
        };
        from.unwrap_or_else(|| {
            let n = self.rng.u32(..1_000);
            match kind {
                Kind::Code => format!("c{n}"),
                Kind::Group => format!("group {n}"),
                Kind::Hostname => format!("h{n}.localhost"),
                Kind::Uuid => format!("019381a9-a97b-7000-8000-{n:012}"),
                Kind::Hex | Kind::Workspace => format!("{n:024}"),
                Kind::Cursor => n.to_string(),
                Kind::Key => (1_000_000 + n).to_string(),
                _ => (1 + n % 200).to_string(),
            }
        })
    }

    fn url(&mut self) -> String {
        format!("https://{}.example/{}", self.active.mark, self.rng.u16(..))
    }

    fn whose(&mut self) -> &Tenant {
        if self.rng.u8(..20) == 0 { self.resting } else { self.active }
    }
}

/// The type of a schema, the first one that isn't `null`.
fn kind_of(schema: &Value) -> &str {
    let kinds = schema["type"].as_array().and_then(|all| all.first()).unwrap_or(&schema["type"]);
    kinds.as_str().unwrap_or("string")
}

/// Percent-encoded, but for what RFC 3986 (2.3) leaves alone.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let one =
        |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect()
}
