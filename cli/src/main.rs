//! The command `bowline`.

fn main() -> std::process::ExitCode {
    bowline_cli::main()
}
