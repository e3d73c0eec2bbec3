//! The repository's own tools: `cargo xtask NAME [ARGUMENT]…`.
//!
//! Rust, not shell, so that they run wherever the product builds. Exit status: 0 done, 1 failed, 2 wrong usage.
//! They never touch anything outside the repository, except for temporary folders and for the system packages that
//! `test` and `peers` say they install.
#![forbid(unsafe_code)]

mod api;
mod cargo;
mod check;
mod connections;
mod figure;
mod load;
mod million;
mod miri;
mod peers;
mod prove;
mod repo;
mod schemathesis;
mod seed;
mod tidy;

use std::process::ExitCode;

/// One tool.
struct Command {
    name: &'static str,
    help: &'static str,
    run: fn(&[String]) -> anyhow::Result<ExitCode>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        help: "install what is missing and run every check, or the named ones: test [STEP]…",
        run: check::run,
    },
    Command {
        name: "tidy",
        help: "check the repository against the invariants of ARCHITECTURE.md",
        run: tidy::run,
    },
    Command {
        name: "seed",
        help: "write links to measure with: seed --csv FILE --nginx-map FILE",
        run: seed::run,
    },
    Command {
        name: "load",
        help: "ask a server on this machine for redirects: load 127.0.0.1:PORT",
        run: load::run,
    },
    Command {
        name: "peers",
        help: "measure Waypost against nginx, may_minihttp and a bare epoll loop",
        run: peers::run,
    },
    Command {
        name: "api",
        help: "measure creations through the API, and redirects beside its calls",
        run: api::run,
    },
    Command {
        name: "connections",
        help: "measure what idle, slow and hostile connections cost",
        run: connections::run,
    },
    Command {
        name: "schemathesis",
        help: "hold the APIs against their OpenAPI document, by made-up requests",
        run: schemathesis::run,
    },
    Command {
        name: "million",
        help: "measure starting with a million links, and changing one of them",
        run: million::run,
    },
    Command { name: "miri", help: "run the index's unsafe code under miri", run: miri::run },
    Command {
        name: "prove",
        help: "count the instructions of a redirect's steps: prove [--write]",
        run: prove::run,
    },
];

/// The exit status of a command that was called wrongly.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("help" | "--help" | "-h") => {
            print!("{}", usage());
            ExitCode::SUCCESS
        }
        Some(name) => run(name, &arguments[1..]),
        None => {
            eprint!("{}", usage());
            ExitCode::from(USAGE)
        }
    }
}

fn run(name: &str, arguments: &[String]) -> ExitCode {
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprint!("xtask: there is no \"{name}\"\n{}", usage());
        return ExitCode::from(USAGE);
    };
    (command.run)(arguments).unwrap_or_else(|error| {
        eprintln!("xtask {name}: {error:#}");
        ExitCode::FAILURE
    })
}

fn usage() -> String {
    let mut text = String::from("Usage: cargo xtask NAME [ARGUMENT]…\n\n");
    for command in COMMANDS {
        text += &format!("  {:<14}{}\n", command.name, command.help);
    }
    text += "\nSteps of `test`, in order:\n\n";
    for step in check::STEPS {
        text += &format!("  {:<14}{}\n", step.name, step.help);
    }
    text
}
