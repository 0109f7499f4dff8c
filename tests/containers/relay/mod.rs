//! A relay between the peers, for the kernel of a test's machine may know no way to disturb packets. It has a port for each
//! node, behind which the node can be reached by the others, and sends a packet on from the port of its sender: so both
//! sides see the relay in place of each other, and it needs to know nothing of their connections.
//!
//! What becomes of a packet is decided by a seeded generator, one for each direction of each pair.

mod later;
mod weather;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use parking_lot::Mutex;
use socket2::{Domain, Protocol, Socket, Type};

use crate::Told;
use crate::clock::now;
use crate::dice::Dice;
use crate::nodes::Node;
use later::Later;
pub(crate) use weather::Weather;

/// Nodes that it knows.
const NODES: usize = 5;
/// This machine in the network of the peers, as `docker/tests/relay.yml` has it; the nodes' addresses there follow.
const HERE: Ipv4Addr = Ipv4Addr::new(10, 177, 77, 1);
const FIRST_NODE: u8 = 11;
const FIRST_PORT: u16 = 7711;
/// Where a node listens for peers.
const PEER_PORT: u16 = 7701;
/// More than any packet has.
const MOST_BYTES: usize = 1 << 16;
const BUFFERED_BYTES: usize = 4 << 20;

/// The relay, at work until the process ends.
pub(crate) struct Relay {
    shared: Arc<Shared>,
}

struct Shared {
    /// One a node: what comes in there is for that node.
    ports: Vec<UdpSocket>,
    /// By sender and receiver.
    directions: Vec<Vec<Mutex<Direction>>>,
    later: Later,
    passed: AtomicU64,
    lost: AtomicU64,
}

struct Direction {
    weather: Weather,
    dice: Dice,
}

impl Relay {
    /// Opens the ports.
    pub(crate) fn open(seed: u64) -> Told<Self> {
        let mut dice = Dice::new(seed);
        let ports: io::Result<Vec<UdpSocket>> = (0..NODES).map(port).collect();
        let mut direction =
            || Mutex::new(Direction { weather: Weather::default(), dice: Dice::new(dice.roll()) });
        let directions = (0..NODES).map(|_| (0..NODES).map(|_| direction()).collect()).collect();
        let shared = Arc::new(Shared {
            ports: ports.map_err(|error| format!("the relay: {error}"))?,
            directions,
            later: Later::default(),
            passed: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        });
        for to in 0..NODES {
            let shared = shared.clone();
            thread::spawn(move || shared.take_in(to));
        }
        let late = shared.clone();
        thread::spawn(move || late.send_late());
        Ok(Self { shared })
    }

    /// From now on this is the weather for what the one sends to the other.
    pub(crate) fn set(&self, from: Node, to: Node, weather: Weather) {
        self.shared.directions[from.0 - 1][to.0 - 1].lock().weather = weather;
    }

    /// Packets that were passed on, and those that were lost.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.shared.passed.load(Relaxed), self.shared.lost.load(Relaxed))
    }
}

impl Shared {
    /// What comes in for that node.
    fn take_in(&self, to: usize) {
        let mut buffer = vec![0; MOST_BYTES];
        loop {
            // An earlier packet could not be delivered, and the system says so here.
            let Ok((len, from)) = self.ports[to].recv_from(&mut buffer) else { continue };
            let Some(from) = sender(from) else { continue };
            let mut direction = self.directions[from][to].lock();
            let Direction { weather, dice } = &mut *direction;
            let copies: Vec<_> = weather.copies(dice).collect();
            drop(direction);
            self.lost.fetch_add(u64::from(copies.is_empty()), Relaxed);
            for delay in copies {
                match delay.is_zero() {
                    true => self.send(from, to, &buffer[..len]),
                    false => self.later.keep(now() + delay, from, to, &buffer[..len]),
                }
            }
        }
    }

    fn send_late(&self) {
        loop {
            let packet = self.later.next();
            self.send(packet.from, packet.to, &packet.bytes);
        }
    }

    fn send(&self, from: usize, to: usize, bytes: &[u8]) {
        let [a, b, c, _] = HERE.octets();
        let node = Ipv4Addr::new(a, b, c, FIRST_NODE + to as u8);
        // A node that is not there gets nothing, as without the relay.
        let sent = self.ports[from].send_to(bytes, (node, PEER_PORT));
        self.passed.fetch_add(u64::from(sent.is_ok()), Relaxed);
    }
}

/// Where what is for that node comes in.
fn port(node: usize) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    // What is lost is to be lost by chance, and not because the relay has to wait for a processor.
    socket.set_recv_buffer_size(BUFFERED_BYTES)?;
    // Anywhere: the network of the peers may not be there yet.
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, FIRST_PORT + node as u16)).into())?;
    Ok(socket.into())
}

/// The node that has that address.
fn sender(from: SocketAddr) -> Option<usize> {
    let IpAddr::V4(from) = from.ip() else { return None };
    let number = from.octets()[3].checked_sub(FIRST_NODE)?;
    Some(usize::from(number)).filter(|number| *number < NODES)
}
