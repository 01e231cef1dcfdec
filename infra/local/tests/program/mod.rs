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
    /// Waits until it says that it is running.
    pub(crate) fn wait(&mut self) {
        let said = BufReader::new(self.0.stderr.take().unwrap());
        let up = said.lines().map_while(Result::ok).any(|line| line.contains("running on http://127.0.0.1:"));
        assert!(up, "it ended before it ran");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
