//! `protocol`: checks the send protocol exhaustively in small scopes, and plays it at random.

mod cli;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The send protocol as a model: checked exhaustively, and played at random.
#[derive(Debug, Parser)]
#[command(name = "protocol")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Go through every state of the small scopes, of our protocol and of its rivals.
    Check(cli::check::CheckArguments),
    /// Play seeds one after the other, and print the figures as JSON.
    Run(cli::run::RunArguments),
    /// Switch conditions off and play until that is noticed.
    Mutants {
        /// So many seeds at most for each.
        #[arg(long, default_value_t = 50)]
        seeds: u64,
    },
    /// Play one seed and print everything that happens.
    Replay {
        /// The seed.
        seed: u64,
    },
}

fn main() -> Result<std::process::ExitCode, Box<dyn std::error::Error>> {
    let good = match Arguments::parse().command {
        Command::Check(arguments) => cli::check::check_all(&arguments)?,
        Command::Run(arguments) => cli::run::run(&arguments)?,
        Command::Mutants { seeds } => cli::run::mutants(seeds)?,
        Command::Replay { seed } => cli::run::replay(seed)?,
    };
    Ok(if good { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE })
}
