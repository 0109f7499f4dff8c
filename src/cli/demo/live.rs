//! What a watcher sees while the demo runs, on stderr.

use std::{fmt::Display, sync::Arc, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::stream::Streaming;
use crate::cli::output::Output;

/// The line that follows the stream, and what is said above it.
#[derive(Clone, Debug)]
pub(super) struct Live {
    output: Output,
    line: ProgressBar,
}

impl Live {
    pub(super) fn new(output: Output) -> Self {
        let line = ProgressBar::new_spinner();
        if !output.is_watched() {
            line.set_draw_target(ProgressDrawTarget::hidden());
        }
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            line.set_style(style);
        }
        Live { output, line }
    }

    /// Says something above the line; nothing with `--json`.
    pub(super) fn say(&self, text: impl Display) {
        if !self.output.json() {
            self.line.suspend(|| self.output.note(text));
        }
    }

    /// Follows the stream until dropped: a line that changes on a terminal, one a second elsewhere.
    pub(super) async fn follow(&self, streaming: &Arc<Streaming>) {
        let every =
            if self.output.is_watched() { Duration::from_millis(250) } else { Duration::from_secs(1) };
        let mut ticks = tokio::time::interval(every);
        ticks.tick().await;
        let mut before = 0;
        loop {
            ticks.tick().await;
            let text = {
                let mut tally = streaming.tally.lock();
                let per_s = (tally.scored - before) as f64 / every.as_secs_f64();
                before = tally.scored;
                let (p50, p99) = (tally.window.value_at_quantile(0.5), tally.window.value_at_quantile(0.99));
                tally.window.reset();
                format!(
                    "{per_s:.0} scored writes/s, p50 {p50} us, p99 {p99} us a call; {} scored",
                    tally.scored
                )
            };
            if self.output.is_watched() {
                self.line.set_message(text);
                self.line.tick();
            } else {
                self.say(text);
            }
        }
    }

    /// Takes the line away.
    pub(super) fn finish(&self) {
        self.line.finish_and_clear();
    }
}
