//! The paths beside the dialects: redirects, health and metrics. They are served by the edge, which has
//! no table of routes; tests ask the server for each.

use serde_json::{Map, Value, json};

/// What they are listed under.
pub(super) const TAG: &str = "redirects and health";

/// One of them: its answers are (status, type of the body, what it means).
struct Path {
    path: &'static str,
    method: &'static str,
    id: &'static str,
    summary: &'static str,
    answers: &'static [(u16, &'static str, &'static str)],
}

const HTML: &str = "text/html";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain";

/// What follows a link to its destination.
const FOLLOWED: &[(u16, &str, &str)] = &[
    (200, HTML, "A page: the password's form, or one that leads on"),
    (301, "", "To the destination, by the link's own status"),
    (302, "", "To the destination"),
    (303, "", "To the destination, after the password"),
    (307, "", "To the destination, by the link's own status"),
    (308, "", "To the destination, by the link's own status"),
    (404, HTML, "No such link, or one that does not resolve now"),
    (404, JSON, "The same, to those that accept JSON"),
];

const PASSWORD: &[(u16, &str, &str)] = &[
    (303, "", "To the destination"),
    (401, HTML, "The password is wrong; the form again"),
    (404, HTML, "No such link, or one that does not resolve now"),
    (405, HTML, "The link has no password"),
    (413, TEXT, "The form is too large"),
    (429, HTML, "Too many tries"),
];

const PATHS: &[Path] = &[
    Path {
        path: "/{code}",
        method: "get",
        id: "follow",
        summary: "Redirects to a link's destination, and counts the click",
        answers: FOLLOWED,
    },
    Path {
        path: "/{code}",
        method: "post",
        id: "unlock",
        summary: "Tries a password",
        answers: PASSWORD,
    },
    Path {
        path: "/track/{code}",
        method: "get",
        id: "followTracked",
        summary: "As /{code}; refusals are JSON",
        answers: FOLLOWED,
    },
    Path {
        path: "/c/{alias}",
        method: "get",
        id: "followAny",
        summary: "Redirects to a random active link of a collection",
        answers: FOLLOWED,
    },
    Path {
        path: "/healthz",
        method: "get",
        id: "health",
        summary: "Whether the process lives",
        answers: &[(200, TEXT, "It does")],
    },
    Path {
        path: "/readyz",
        method: "get",
        id: "ready",
        summary: "Whether the index is loaded and the store answers",
        answers: &[(200, TEXT, "Both"), (503, TEXT, "Which does not")],
    },
    Path {
        path: "/metrics",
        method: "get",
        id: "metrics",
        summary: "Figures, in Prometheus' text format",
        answers: &[(200, TEXT, "The figures")],
    },
];

/// All of them.
pub(super) fn paths() -> Map<String, Value> {
    let mut paths = Map::new();
    for path in PATHS {
        let item = paths.entry(path.path).or_insert_with(|| json!({}));
        item[path.method] = path.described();
    }
    paths
}

impl Path {
    fn described(&self) -> Value {
        let mut responses = Map::new();
        for (status, kind, what) in self.answers {
            let response = responses.entry(status.to_string());
            let response = response.or_insert_with(|| json!({ "description": what }));
            if !kind.is_empty() {
                response["content"][*kind] = json!({});
            }
        }
        let mut operation = json!({
            "operationId": self.id,
            "summary": self.summary,
            "tags": [TAG],
            "security": [],
            "responses": responses,
        });
        if let Some((_, name)) = self.path.split_once('{') {
            let schema = json!({ "type": "string", "minLength": 1, "maxLength": 64 });
            let name = name.trim_end_matches('}');
            let parameter =
                json!({ "name": name, "in": "path", "required": true, "schema": schema });
            operation["parameters"] = json!([parameter]);
        }
        if self.method == "post" {
            operation["requestBody"] = password_form();
        }
        operation
    }
}

fn password_form() -> Value {
    let password = json!({ "type": "string" });
    let schema = json!({ "type": "object", "required": ["password"], "properties": { "password": password } });
    json!({ "required": true, "content": { "application/x-www-form-urlencoded": { "schema": schema } } })
}
