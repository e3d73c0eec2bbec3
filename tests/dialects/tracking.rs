//! tracking: the examples of its document, and what it refuses.

use super::replay::Stage;

#[test]
fn examples() {
    let mut stage = Stage::new(&[]);
    for (name, url) in [
        ("profile.LinkedIn", "https://linkedin.com/in/steve-glen"),
        ("profile.Calendly", "https://calendly.com/steve-glen"),
    ] {
        stage.run(&["workspace", "set", "default", name, url]);
    }
    stage.replay(include_str!("tracking.fixture"));
}

#[test]
fn refused() {
    Stage::new(&["--no-rate-limit"]).replay(include_str!("tracking_refused.fixture"));
}
