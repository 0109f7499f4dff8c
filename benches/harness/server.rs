//! Servers under measurement, each in a process of its own, which ends with its handle.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// The binary that this build made.
pub(super) const EMBERGRID: &str = env!("CARGO_BIN_EXE_embergrid");

/// A running server.
pub(crate) struct Server {
    /// What started it.
    command: Command,
    child: Child,
    /// Where it listens on loopback.
    pub(crate) port: u16,
    /// What it keeps, if anything, and its log.
    folder: Option<TempDir>,
}

impl Server {
    /// Starts an ephemeral `embergrid node` and waits until it is ready.
    pub(crate) fn node() -> Self {
        Self::node_with(&[])
    }

    /// The same, with settings from the environment.
    pub(crate) fn node_with(settings: &[(&str, &str)]) -> Self {
        let port = free_port();
        let mut command = Command::new(EMBERGRID);
        command.envs(settings.iter().copied());
        command.args(["node", "--listen", &format!("127.0.0.1:{port}")]);
        Self::start(command, port, is_ready)
    }

    /// Starts a `redis-server` without persistence and waits until it answers.
    pub(crate) fn redis() -> Self {
        Self::redis_with(&[])
    }

    /// Starts a replica of another, and waits until it follows.
    pub(crate) fn redis_replica(of: &Self) -> Self {
        let replica = Self::redis_with(&[
            "--replicaof",
            "127.0.0.1",
            &of.port.to_string(),
            // Without a file: it would be left in the working folder.
            "--repl-diskless-load",
            "on-empty-db",
        ]);
        for _ in 0..600 {
            if replica.redis_info("replication").contains("master_link_status:up") {
                return replica;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the replica does not follow");
    }

    fn redis_with(arguments: &[&str]) -> Self {
        let port = free_port();
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--save", "", "--appendonly", "no"]).args(arguments);
        Self::start(command, port, |stream| {
            let _ = stream.write_all(b"PING\r\n");
            let mut answer = [0; 5];
            stream.read_exact(&mut answer).is_ok() && answer == *b"+PONG"
        })
    }

    fn redis_info(&self, section: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("redis-server listens");
        stream.write_all(format!("INFO {section}\r\nQUIT\r\n").as_bytes()).expect("redis-server reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("redis-server answers");
        answer
    }

    fn start(command: Command, port: u16, ready: impl Fn(&mut TcpStream) -> bool) -> Self {
        let mut server = Self::spawn(command, port);
        server.wait(ready);
        server
    }

    fn spawn(mut command: Command, port: u16) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = spawn(&mut command);
        Self { command, child, port, folder: None }
    }

    /// Starts a server that keeps what it has in a folder of its own, and its log beside that.
    pub(super) fn spawn_keeping(mut command: Command, port: u16, folder: TempDir) -> Self {
        let log = File::create(folder.path().join("log")).expect("a folder of our own");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = spawn(&mut command);
        Self { command, child, port, folder: Some(folder) }
    }

    /// Ends the process without a word, as SIGKILL does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("our own child");
        self.child.wait().expect("our own child");
    }

    /// Has the process end in good order, as SIGTERM does, and waits until it has.
    pub(crate) fn end(&mut self) {
        run(Command::new("kill").args(["-TERM", &self.child.id().to_string()]));
        self.child.wait().expect("our own child");
    }

    /// What the node measures, as Prometheus reads it.
    pub(crate) fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the node listens");
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("the node reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the node answers");
        answer
    }

    /// Starts it again after a kill, as it was started before; it is not ready yet.
    pub(crate) fn start_again(&mut self) {
        self.child = spawn(&mut self.command);
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Returns when `ready` is true of a connection to it.
    pub(super) fn wait(&mut self, ready: impl Fn(&mut TcpStream) -> bool) {
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok_and(|mut stream| ready(&mut stream)) {
                return;
            }
            let ended = self.child.try_wait().expect("our own child");
            assert!(ended.is_none(), "the server at port {} ended at once: {ended:?}", self.port);
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the server at port {} was not ready within 10 s", self.port);
    }

    /// Runs an `embergrid` command against this node and returns what it printed as JSON.
    pub(crate) fn command(&self, arguments: &[&str]) -> serde_json::Value {
        let text = run(Command::new(EMBERGRID).args(arguments).args(["--json", "--addr", &self.address()]));
        serde_json::from_str(text.lines().last().unwrap_or("null"))
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
    }

    /// Bytes of memory that the process holds.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a live process");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number of kB") * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Where a bench fails, the folder says why.
        if let Some(folder) = self.folder.take_if(|_| std::thread::panicking()) {
            eprintln!(
                "the server at port {} leaves its log and data in {}",
                self.port,
                folder.keep().display()
            );
        }
    }
}

fn spawn(command: &mut Command) -> Child {
    command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()))
}

/// Runs a command to its end and returns its stdout; its failure ends the bench.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()));
    assert!(output.status.success(), "{command:?}: {}", output.status);
    String::from_utf8(output.stdout).expect("text")
}

/// Whether a node says that it is ready.
pub(super) fn is_ready(stream: &mut TcpStream) -> bool {
    let _ = stream.write_all(b"GET /health/ready HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).is_ok() && answer.ends_with(b" 200")
}

/// A port of this machine that nobody listens at.
pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    listener.local_addr().expect("bound").port()
}
