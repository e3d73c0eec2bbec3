//! The binary under test: `waypost` itself.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    waypost_server::main()
}
