//! Running the binary.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use serde_json::Value;

/// How an invocation ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// stdout as one JSON value.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// stdout as a JSON value a line.
    pub(crate) fn lines(&self) -> Vec<Value> {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The error on stderr's last line, in JSON, after the exit code was compared.
    pub(crate) fn refusal(&self, code: i32) -> Value {
        assert_eq!(self.code, Some(code), "{self:?}");
        let last = self.stderr.lines().last().unwrap_or_default();
        let object: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        object["error"].clone()
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The binary, in the repository's folder, undisturbed by the caller's environment.
pub(crate) fn embergrid(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embergrid"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("EMBERGRID_")) {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    embergrid(arguments).stdin(Stdio::null()).output().unwrap().into()
}

/// A process that goes on until it is told to end. Killed when dropped.
pub(crate) struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Running::spawn(embergrid(arguments))
    }

    fn spawn(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Running { child, stdout }
    }

    /// The next line of stdout, in JSON.
    pub(crate) fn line(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the process ended");
        serde_json::from_str(&line).unwrap()
    }

    /// Sends a signal by its name, as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end; gives the exit code.
    pub(crate) fn wait(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A node on a port of its own.
pub(crate) struct Node {
    pub(crate) running: Running,
    pub(crate) address: String,
}

impl Node {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Node::of(Running::spawn(Node::command(arguments)))
    }

    /// Founds a cluster: `n1`, `n2` and so on.
    pub(crate) fn found(count: usize) -> Vec<Self> {
        let peers: Vec<String> = (0..count).map(|_| free_peer_address()).collect();
        let (seeds, expect) = (peers.join(","), count.to_string());
        let start = |(number, peer): (usize, &String)| {
            let mut command = Node::command(&["--peer-listen", peer, "--seeds", &seeds, "--expect", &expect]);
            command.env("EMBERGRID_CLUSTER_SECRET", "a secret of the tests");
            command.env("EMBERGRID_NODE__NAME", format!("n{}", number + 1));
            // A busy machine is no dead node.
            command.env("EMBERGRID_NODE__FAILURE_TIMEOUT_MS", "3000");
            Running::spawn(command)
        };
        // None serves before all have met.
        let running: Vec<Running> = peers.iter().enumerate().map(start).collect();
        running.into_iter().map(Node::of).collect()
    }

    fn command(arguments: &[&str]) -> Command {
        embergrid(&[&["node", "--json", "--listen", "127.0.0.1:0"], arguments].concat())
    }

    fn of(mut running: Running) -> Self {
        let address = running.line()["addr"].as_str().unwrap().to_owned();
        Node { running, address }
    }

    /// Runs a command against the node, with `--json`.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        run(&[&["--json", "--addr", &self.address], arguments].concat())
    }

    /// The same, going on in the background.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Running {
        Running::start(&[&["--json", "--addr", &self.address], arguments].concat())
    }
}

fn free_peer_address() -> String {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().to_string()
}
