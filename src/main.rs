//! The `stockade` command. Everything it does is in [`cli`], which uses nothing of the library but its public interface.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
