//! tracking: the examples of its document, and what it refuses.

use super::replay::Stage;

on_each_store! {
    fn examples(backend) {
        let mut stage = Stage::on(backend, &[]);
        for (name, url) in [
            ("profile.LinkedIn", "https://linkedin.com/in/steve-glen"),
            ("profile.Calendly", "https://calendly.com/steve-glen"),
        ] {
            stage.run(&["workspace", "set", "default", name, url]);
        }
        stage.replay(include_str!("tracking.fixture"));
    }
}

on_each_store! {
    fn refused(backend) {
        Stage::on(backend, &["--no-rate-limit"]).replay(include_str!("tracking_refused.fixture"));
    }
}

#[test]
fn limits() {
    let variables = [("WAYPOST_RATE_CREATION", "2")];
    let create = "POST /api/link-tracking/create\n\n{\"original_url\": \"https://example.com/\", \"link_function\": \"a\"}\n\n";
    let refused = r#"{"error": "Rate limit exceeded", "limit": 2, "window": "1 minute", "retry_after": "<int as wait>", "timestamp": "<time>"}"#;
    let fixture = format!(
        "# First\n{create}=> 201\nX-RateLimit-Limit: 2\nX-RateLimit-Remaining: 1\n
# Second\n{create}=> 201\nX-RateLimit-Remaining: 0\n
# Third\n{create}=> 429\nRetry-After: <int as wait>\nX-RateLimit-Limit: 2\nX-RateLimit-Remaining: 0\n\n{refused}\n
# Reads count apart\nGET /api/link-tracking/report\n\n=> 200\nX-RateLimit-Limit: 100\n"
    );
    Stage::with(&[], &variables).replay(&fixture);
}
