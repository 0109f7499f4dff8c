//! Servers under measurement, each in a process of its own, which ends with its handle.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The binary that this build made.
const EMBERGRID: &str = env!("CARGO_BIN_EXE_embergrid");

/// A running server.
pub(crate) struct Server {
    child: Child,
    /// Where it listens on loopback.
    pub(crate) port: u16,
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
        Self::start(command, port, |stream| {
            let _ =
                stream.write_all(b"GET /health/ready HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n");
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).is_ok() && answer.ends_with(b" 200")
        })
    }

    /// Starts a `redis-server` without persistence and waits until it answers.
    pub(crate) fn redis() -> Self {
        let port = free_port();
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
        Self::start(command, port, |stream| {
            let _ = stream.write_all(b"PING\r\n");
            let mut answer = [0; 5];
            stream.read_exact(&mut answer).is_ok() && answer == *b"+PONG"
        })
    }

    fn start(mut command: Command, port: u16, ready: impl Fn(&mut TcpStream) -> bool) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()));
        let mut server = Self { child, port };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok_and(|mut stream| ready(&mut stream)) {
                return server;
            }
            let ended = server.child.try_wait().expect("our own child");
            assert!(ended.is_none(), "{:?} ended at once: {ended:?}", command.get_program());
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{:?} was not ready within 10 s", command.get_program());
    }

    /// Runs an `embergrid` command against this node and returns what it printed as JSON.
    pub(crate) fn command(&self, arguments: &[&str]) -> serde_json::Value {
        let address = format!("127.0.0.1:{}", self.port);
        let text = run(Command::new(EMBERGRID).args(arguments).args(["--json", "--addr", &address]));
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
    }
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

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    listener.local_addr().expect("bound").port()
}
