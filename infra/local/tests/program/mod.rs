//! The built program over a folder of its own.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// The program with these arguments, about to be started.
pub(crate) fn retorno(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retorno"));
    command.args(arguments).arg("--data").arg(data).stderr(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// Runs a command to its end.
pub(crate) fn run(data: &Path, arguments: &[&str]) -> Output {
    retorno(data, arguments).output().unwrap()
}

/// The running system, killed with its handle.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// Waits until it says that it is running. What it says afterwards is shown when the test fails.
    pub(crate) fn wait(&mut self) {
        let mut said = self.read_until_it_runs();
        std::thread::spawn(move || said.by_ref().for_each(|line| eprintln!("the system said: {line}")));
    }

    /// What it says from the moment when it says that it is running.
    pub(crate) fn read_until_it_runs(&mut self) -> impl Iterator<Item = String> + use<> {
        let mut said = BufReader::new(self.0.stderr.take().unwrap()).lines().map_while(Result::ok);
        assert!(said.any(|line| line.contains("running on http://127.0.0.1:")), "it ended before it ran");
        said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
