//! Clusters on this machine: each node a process with a data folder of its own.

use std::net::UdpSocket;
use std::process::Command;
use std::time::Duration;

use super::Server;
use super::server::{EMBERGRID, free_port, is_ready};

impl Server {
    /// Starts `embergrid node`s that found a cluster, with settings from the environment, and waits until every partition
    /// has all its copies: two, where the settings do not say otherwise.
    pub(crate) fn nodes(count: usize, settings: &[(&str, &str)]) -> Vec<Self> {
        let peers: Vec<String> = (0..count).map(|_| free_peer_address()).collect();
        let start = |peer: &String| {
            let (port, folder) = (free_port(), tempfile::tempdir().expect("a temporary folder"));
            let mut command = Command::new(EMBERGRID);
            command.envs(settings.iter().copied());
            command.env("EMBERGRID_CLUSTER_SECRET", "a secret of the benches");
            command.args(["node", "--listen", &format!("127.0.0.1:{port}"), "--peer-listen", peer]);
            command.args(["--seeds", &peers.join(","), "--expect", &count.to_string()]);
            command.arg("--data-dir").arg(folder.path().join("data"));
            Self::spawn_keeping(command, port, folder)
        };
        // None is ready before all have met.
        let mut nodes: Vec<Self> = peers.iter().map(start).collect();
        nodes.iter_mut().for_each(|node| node.wait(is_ready));
        for _ in 0..600 {
            if nodes.iter().all(sees_all_healthy) {
                return nodes;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the cluster was not whole within a minute");
    }
}

fn sees_all_healthy(node: &Server) -> bool {
    let partitions = &node.command(&["cluster", "status"])["partitions"];
    partitions["healthy"] == partitions["total"]
}

fn free_peer_address() -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback");
    socket.local_addr().expect("bound").to_string()
}
