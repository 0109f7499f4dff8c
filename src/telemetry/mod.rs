//! Tracing and metrics.
//!
//! Metrics belong to a node, not to the process: two nodes of one test count apart. Nothing here is touched once an
//! operation: workers count in plain integers ([`Tally`]) and hand them over once a tick.

mod family;
mod logging;
mod metrics;
mod peers;
mod process;
mod series;
mod tally;

pub use logging::{Format, Options, start_logging};
pub use metrics::{BindingMetrics, Metrics, ModelMetrics, Outcome};
pub use peers::LaneMetrics;
pub use process::{cpu_us, resident_bytes};
pub use series::{Counter, Gauge};
pub use tally::{Kind, Tally};
