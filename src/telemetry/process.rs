//! What the operating system says of this process.

use rustix::time::{ClockId, clock_gettime};

/// The processor time that this process has used, in microseconds.
pub fn cpu_us() -> u64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as u64 * 1_000_000 + spent.tv_nsec as u64 / 1_000
}

/// The memory that this process holds, in bytes; `None` where the system does not say (no `/proc`).
pub fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_time() {
        assert!(resident_bytes().is_none_or(|bytes| bytes > 100_000));
        assert!(cpu_us() > 0);
    }
}
