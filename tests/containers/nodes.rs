//! The containers, one a node, and what can be done to them.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::Told;

/// A node of the Compose cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node(
    /// Counts from 1.
    pub(crate) usize,
);

impl Node {
    /// The node with that name.
    pub(crate) fn named(name: &str) -> Told<Self> {
        let number = name.strip_prefix("embergrid-").and_then(|number| number.parse().ok());
        number.map(Self).ok_or_else(|| format!("{name} is no node of the cluster"))
    }

    /// Its name, and its container's.
    pub(crate) fn name(self) -> String {
        format!("embergrid-{}", self.0)
    }

    /// Where clients on this machine reach it.
    pub(crate) fn address(self) -> String {
        format!("127.0.0.1:{}", 7700 + 10 * (self.0 - 1))
    }

    /// SIGKILL.
    pub(crate) fn kill(self) -> Told<()> {
        docker(&["kill", &self.name()]).map(drop)
    }

    /// Starts it again, with its volume.
    pub(crate) fn start(self) -> Told<()> {
        docker(&["start", &self.name()]).map(drop)
    }

    /// SIGSTOP.
    pub(crate) fn pause(self) -> Told<()> {
        docker(&["kill", "--signal", "STOP", &self.name()]).map(drop)
    }

    /// SIGCONT.
    pub(crate) fn go_on(self) -> Told<()> {
        docker(&["kill", "--signal", "CONT", &self.name()]).map(drop)
    }

    /// From now on it gets so many hundredths of a processor at most.
    pub(crate) fn limit(self, cpu: u64) -> Told<()> {
        let cpus = format!("{}.{:02}", cpu / 100, cpu % 100);
        docker(&["update", "--cpus", &cpus, &self.name()]).map(drop)
    }

    /// SIGTERM, and the time to give away what it holds.
    pub(crate) fn stop(self) -> Told<()> {
        docker(&["stop", "--time", "60", &self.name()]).map(drop)
    }

    /// Removes the container and its volume: whoever starts under this name is somebody else.
    pub(crate) fn remove(self) -> Told<()> {
        docker(&["rm", "--force", "--volumes", &self.name()])?;
        docker(&["volume", "rm", &format!("embergrid_data-{}", self.0)]).map(drop)
    }

    /// Makes the container, if there is none, and starts it.
    pub(crate) fn create(self, compose: &Path) -> Told<()> {
        run(Command::new(compose).args(["up", "--detach", "--no-deps", &self.name()])).map(drop)
    }

    /// What time of day it is for a process in the container, in seconds since 1970.
    pub(crate) fn time_of_day_s(self) -> Told<i64> {
        let said = docker(&["exec", &self.name(), "date", "+%s"])?;
        said.parse().map_err(|_| format!("{said} is no time"))
    }

    /// The node's process, as this machine numbers it.
    pub(crate) fn process(self) -> Told<String> {
        docker(&["inspect", "--format", "{{.State.Pid}}", &self.name()])
    }

    /// Its address among its peers.
    pub(crate) fn peer_address(self) -> Told<String> {
        docker(&[
            "inspect",
            "--format",
            "{{.NetworkSettings.Networks.embergrid_peers.IPAddress}}",
            &self.name(),
        ])
    }
}

/// Runs `docker`; what it printed.
fn docker(words: &[&str]) -> Told<String> {
    run(Command::new("docker").args(words))
}

/// Runs a command to its end; what it printed.
pub(crate) fn run(command: &mut Command) -> Told<String> {
    let done = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if !done.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&done.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
}
