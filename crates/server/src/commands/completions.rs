//! `waypost completions`: a script that teaches a shell the command line.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

/// Arguments of `waypost completions`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

/// Runs `waypost completions`.
pub(crate) fn run(arguments: &Arguments) {
    let mut line = crate::CommandLine::command();
    clap_complete::generate(arguments.shell, &mut line, "waypost", &mut std::io::stdout());
}
