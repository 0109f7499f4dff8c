//! `embergrid map load`

use std::{io, path::PathBuf, time::Instant};

use bytes::Bytes;
use clap::Args;
use indicatif::ProgressBar;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::{
    cli::{
        clock::now,
        context::Context,
        failure::Result,
        interrupt::Interrupt,
        output::Output,
        patient::Patient,
        rows::{self, Format, Line, Parsed, Shape},
    },
    types::{Error, Key},
};

/// The most rows sent together. They are answered before the next leave, so that a later line of the same key wins.
const BATCH: usize = 2048;

/// Load a CSV or JSONL file into a map; every row is acknowledged, with its scores where the map is bound.
///
/// A file is checked whole before its first row is sent; stdin stops at the broken line.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid map load screening models/breast-cancer/data.csv --key id")]
pub(super) struct Load {
    /// The map's name.
    map: String,
    /// The file, or `-` for stdin.
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
    /// The column that is the key.
    #[arg(long, value_name = "COLUMN")]
    key: String,
    /// The file's format, where its name does not say it; stdin is CSV unless told.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Columns of the file that the map does not have.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    ignore_columns: Vec<String>,
    /// Leave broken lines and refused rows out, and count them, instead of stopping.
    #[arg(long)]
    skip_errors: bool,
}

/// How far the load came.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Loaded {
    read: u64,
    acknowledged: u64,
    scored: u64,
    skipped: u64,
    seconds: f64,
}

impl Load {
    pub(super) async fn run(self, context: &Context) -> Result {
        let interrupt = Interrupt::listen()?;
        let map = context.map(&self.map).await?;
        let description = map.description();
        let shape = Shape {
            schema: description.require_schema()?.clone(),
            key: self.key.clone(),
            key_kind: description.key_kind,
            ignored: self.ignore_columns.clone(),
        };
        let is_stdin = self.file.as_os_str() == "-";
        let (lines, total) = if is_stdin {
            (rows::read(io::stdin(), self.format.unwrap_or(Format::Csv), &shape)?, None)
        } else {
            let format = self.format.map_or_else(|| Format::of(&self.file), Ok)?;
            let lines = rows::read_path(&self.file, format, &shape)?;
            let total = self.check(Batches::read(lines, interrupt.clone())).await?;
            (rows::read_path(&self.file, format, &shape)?, Some(total))
        };
        let mut sending = Sending {
            map: Patient::new(map, BATCH),
            skip_errors: self.skip_errors,
            output: context.output,
            progress: context.output.progress(total, "rows"),
            loaded: Loaded::default(),
            started: now(),
        };
        let ended = sending.all(Batches::read(lines, interrupt)).await;
        let loaded = sending.finish();
        let text = format!(
            "{} rows read, {} acknowledged, {} scored, {} skipped, in {} s",
            loaded.read, loaded.acknowledged, loaded.scored, loaded.skipped, loaded.seconds
        );
        context.output.answer(&loaded, text)?;
        ended
    }

    /// Reads the file to its end: a broken line is found before anything is sent. Gives the number of rows.
    async fn check(&self, mut batches: Batches) -> Result<u64> {
        let mut total = 0;
        loop {
            let batch = batches.next().await?;
            if batch.is_empty() {
                return Ok(total);
            }
            for line in batch {
                match line {
                    Ok(_) => total += 1,
                    Err(_) if self.skip_errors => {}
                    Err(error) => return Err(self.broken(error).into()),
                }
            }
        }
    }

    fn broken(&self, error: Error) -> Error {
        let error = error.within(self.file.display());
        match error.hint {
            Some(_) => error,
            None => error.hint("nothing was sent; `--skip-errors` leaves broken lines out"),
        }
    }
}

/// The lines of a file, read ahead by a thread: a read that waits (of a terminal, of a pipe) must not keep Ctrl-C
/// waiting too.
struct Batches {
    lines: mpsc::Receiver<Parsed>,
    interrupt: Interrupt,
}

impl Batches {
    fn read(mut lines: Box<dyn Iterator<Item = Parsed> + Send>, interrupt: Interrupt) -> Self {
        let (sender, receiver) = mpsc::channel(2 * BATCH);
        // Detached: where it waits for input that never comes, the end of the process ends it.
        std::thread::spawn(move || lines.try_for_each(|line| sender.blocking_send(line)));
        Batches { lines: receiver, interrupt }
    }

    /// What has been read by now: a slow source's rows do not wait for a full batch. Empty: the end.
    async fn next(&mut self) -> Result<Vec<Parsed>> {
        let mut batch = Vec::new();
        tokio::select! {
            biased;
            () = self.interrupt.wait() => Err(Error::unavailable("stopped before the end of the file")
                .hint("what was acknowledged is stored; load the file again to write the rest")
                .into()),
            _ = self.lines.recv_many(&mut batch, BATCH) => Ok(batch),
        }
    }
}

/// A load under way.
struct Sending {
    map: Patient,
    skip_errors: bool,
    output: Output,
    progress: ProgressBar,
    loaded: Loaded,
    started: Instant,
}

impl Sending {
    async fn all(&mut self, mut batches: Batches) -> Result {
        loop {
            let batch = batches.next().await?;
            if batch.is_empty() {
                return Ok(());
            }
            let mut rows = Vec::with_capacity(batch.len());
            for line in batch {
                self.loaded.read += 1;
                match line {
                    Ok(line) => rows.push(line),
                    Err(error) => {
                        // What came before the broken line is sent.
                        self.send(std::mem::take(&mut rows)).await?;
                        self.skip(error)?;
                    }
                }
            }
            self.send(rows).await?;
        }
    }

    /// Sends rows and waits for all their answers.
    async fn send(&mut self, rows: Vec<Line>) -> Result {
        let numbers: Vec<u64> = rows.iter().map(|line| line.number).collect();
        let entries: Vec<(Key, Bytes)> = rows.into_iter().map(|line| (line.key, line.row.into())).collect();
        let answers = self.map.put(&entries).await?;
        let mut refusals = Vec::new();
        for (number, answer) in numbers.into_iter().zip(answers) {
            match answer {
                Ok(put) => {
                    self.loaded.acknowledged += 1;
                    self.loaded.scored += u64::from(!put.scores.is_empty());
                }
                Err(error) => refusals.push(error.within(format_args!("line {number}"))),
            }
        }
        self.progress.set_position(self.loaded.acknowledged);
        // Every answer is counted before the first refusal stops the load.
        refusals.into_iter().try_for_each(|refusal| self.skip(refusal))
    }

    /// Counts a row that is left out, or stops the load at it.
    fn skip(&mut self, error: Error) -> Result {
        if !self.skip_errors {
            return Err(error.into());
        }
        self.loaded.skipped += 1;
        self.progress.suspend(|| self.output.note(format_args!("skipped {}", error.message)));
        Ok(())
    }

    fn finish(self) -> Loaded {
        self.progress.finish_and_clear();
        let seconds = (self.started.elapsed().as_secs_f64() * 1e3).round() / 1e3;
        Loaded { seconds, ..self.loaded }
    }
}
