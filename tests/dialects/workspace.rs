//! workspace: the example of its document, the routes beside it, and what it refuses.

use super::replay::Stage;

const WORKSPACES: &[&str] = &["workspace", "list"];

#[test]
fn examples() {
    Stage::new(&[])
        .run(&["workspace", "set", "default", "base_url", "https://base.example/"])
        .learn("workspace", WORKSPACES, "/0/workspace_id")
        .replay(include_str!("workspace.fixture"));
}

#[test]
fn refused() {
    let staff = |permission| ["key", "create", "--role", "staff", "--permission", permission];
    Stage::new(&[])
        .run(&["workspace", "create", "other"])
        .learn("workspace", WORKSPACES, "/0/workspace_id")
        .learn("other", WORKSPACES, "/1/workspace_id")
        .learn("reader", &staff("workspace.read"), "/token")
        .learn("writer", &staff("links.write"), "/token")
        .replay(include_str!("workspace_refused.fixture"));
}
