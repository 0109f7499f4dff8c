//! Filling Redis, by its own protocol.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::ops::Range;

use super::Server;

/// Commands written together.
const BATCH: usize = 1024;

/// A key as `redis-benchmark` makes it: 16 bytes.
pub(crate) fn key(number: u64) -> String {
    format!("key:{number:012}")
}

impl Server {
    /// Sets the keys of these numbers.
    pub(crate) fn fill(&self, mut numbers: Range<u64>, value: &[u8]) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("redis-server listens");
        let mut answers = BufReader::new(stream.try_clone().expect("a handle"));
        while !numbers.is_empty() {
            let batch: Vec<_> = numbers.by_ref().take(BATCH).map(key).collect();
            let mut request = Vec::new();
            for key in &batch {
                let head = format!("*3\r\n$3\r\nSET\r\n${}\r\n{key}\r\n${}\r\n", key.len(), value.len());
                request.extend_from_slice(head.as_bytes());
                request.extend_from_slice(value);
                request.extend_from_slice(b"\r\n");
            }
            stream.write_all(&request).expect("redis-server reads");
            for _ in &batch {
                let mut line = String::new();
                answers.read_line(&mut line).expect("redis-server answers");
                assert_eq!(line, "+OK\r\n");
            }
        }
    }
}
