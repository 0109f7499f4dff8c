//! Where a command's words go: data to stdout, everything else to stderr.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use crate::types::Error;

/// How this invocation speaks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Output { json }
    }

    /// Whether data are printed as JSON.
    pub(super) fn json(self) -> bool {
        self.json
    }

    /// Whether a person sees stderr as it changes.
    pub(super) fn is_watched(self) -> bool {
        !self.json && io::stderr().is_terminal()
    }

    /// Prints one answer: the object with `--json`, else the text. Flushed, so that a stream is read line by line.
    pub(super) fn answer(self, object: &impl Serialize, text: impl Display) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        if self.json {
            serde_json::to_writer(&mut stdout, object)?;
            writeln!(stdout)?;
        } else {
            writeln!(stdout, "{text}")?;
        }
        stdout.flush()
    }

    /// Says something beside the data.
    pub(super) fn note(self, text: impl Display) {
        // A closed stderr leaves nobody to tell.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Says what went wrong and what to do about it.
    pub(super) fn error(self, error: &Error) {
        if self.json {
            let Error { class, message, hint } = error;
            self.note(json!({ "error": { "class": class.name(), "message": message, "hint": hint } }));
        } else {
            self.note(format_args!("error: {}", error.message));
            if let Some(hint) = &error.hint {
                self.note(format_args!(" hint: {hint}"));
            }
        }
    }

    /// A progress bar over `total` things, or a counting spinner where the total is unknown. Hidden where nobody
    /// watches: with `--json`, or when stderr is no terminal.
    pub(super) fn progress(self, total: Option<u64>, what: &'static str) -> ProgressBar {
        let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
        if !self.is_watched() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let template = match total {
            Some(_) => "{bar:30} {human_pos}/{human_len} {prefix}  {per_sec}  {msg}",
            None => "{spinner} {human_pos} {prefix}  {per_sec}  {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(what);
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}
