//! workspace: the example of its document, the routes beside it, and what it refuses.

use super::replay::Stage;

const WORKSPACES: &[&str] = &["workspace", "list"];

on_each_store! {
    fn examples(backend) {
        Stage::on(backend, &[])
            .run(&["workspace", "set", "default", "base_url", "https://base.example/"])
            .learn("workspace", WORKSPACES, "/0/workspace_id")
            .replay(include_str!("workspace.fixture"));
    }
}

on_each_store! {
    fn refused(backend) {
        let staff = |permission| ["key", "create", "--role", "staff", "--permission", permission];
        Stage::on(backend, &[])
            .run(&["workspace", "create", "other"])
            .learn("workspace", WORKSPACES, "/0/workspace_id")
            .learn("other", WORKSPACES, "/1/workspace_id")
            .learn("reader", &staff("workspace.read"), "/token")
            .learn("writer", &staff("links.write"), "/token")
            .replay(include_str!("workspace_refused.fixture"));
    }
}
