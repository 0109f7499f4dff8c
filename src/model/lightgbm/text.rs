//! The file as text: lines of `key=value`, first those of the model, then blocks of them, one a tree.

use std::collections::BTreeMap;

use super::{
    super::{Error, Limits},
    unreadable,
};

/// Between the last tree and what is not read: importances of features, parameters of the training.
const END: &str = "end of trees";

/// One line, with its number.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    number: usize,
    text: &'a str,
}

/// What stands under a key.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    number: usize,
    key: &'a str,
    pub(super) value: &'a str,
}

/// The entries up to the next block.
pub(super) struct Block<'a> {
    /// The number of its first line.
    number: usize,
    entries: BTreeMap<&'a str, Entry<'a>>,
}

/// The lines of a file, each looked at once.
pub(super) struct Lines<'a> {
    rest: &'a [u8],
    /// That of the last line given.
    number: usize,
    /// How many numbers the lists of the file may still have.
    numbers: usize,
    limits: &'a Limits,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8], limits: &'a Limits) -> Self {
        Lines { rest: bytes, number: 0, numbers: 0, limits }
    }

    /// The next line that is not empty; none at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Line<'a>>, Error> {
        while !self.rest.is_empty() {
            let end = self.rest.iter().position(|byte| *byte == b'\n');
            let (line, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
            self.rest = rest.get(1..).unwrap_or_default();
            self.number += 1;
            let text = str::from_utf8(line.trim_ascii_end())
                .map_err(|_| unreadable(format!("line {} is not UTF-8", self.number)))?;
            if !text.is_empty() {
                return Ok(Some(Line { number: self.number, text }));
            }
        }
        Ok(None)
    }

    /// The entries up to the next tree, or to the end of the trees; and the number of that tree, if there is one.
    pub(super) fn block(&mut self, keys: &[&str]) -> Result<(Block<'a>, Option<Entry<'a>>), Error> {
        let mut block = Block { number: self.number, entries: BTreeMap::new() };
        loop {
            let Some(line) = self.next()? else {
                return Err(unreadable(format!(
                    "it ends at line {}, before `{END}`: it is truncated or no LightGBM file",
                    self.number
                )));
            };
            if line.text == END {
                return Ok((block, None));
            }
            let entry = line.entry();
            if entry.key == "Tree" {
                return Ok((block, Some(entry)));
            }
            if !keys.contains(&entry.key) {
                return Err(entry.invalid("the key is not known"));
            }
            if block.entries.insert(entry.key, entry).is_some() {
                return Err(entry.invalid("it is given twice"));
            }
        }
    }

    /// A list of numbers, separated by spaces.
    pub(super) fn list<T: Number>(&mut self, entry: Entry<'a>) -> Result<Vec<T>, Error> {
        let parts = || entry.value.split(' ').filter(|part| !part.is_empty());
        self.numbers = self.numbers.saturating_add(parts().count());
        Error::limit("the number of numbers in lists", self.numbers, self.limits.parameters)?;
        parts().map(|part| entry.parse(part)).collect()
    }
}

impl<'a> Line<'a> {
    /// A line without `=` is a key alone.
    fn entry(self) -> Entry<'a> {
        let (key, value) = self.text.split_once('=').unwrap_or((self.text, ""));
        Entry { number: self.number, key, value }
    }

    pub(super) fn is(self, text: &str) -> bool {
        self.text == text
    }
}

/// A number as a list has it.
pub(super) trait Number: std::str::FromStr {
    const NAME: &'static str;
}

impl Number for f64 {
    const NAME: &'static str = "number";
}

impl Number for i64 {
    const NAME: &'static str = "whole number";
}

impl Number for u32 {
    const NAME: &'static str = "whole number of 32 bits";
}

impl Entry<'_> {
    fn parse<T: Number>(self, text: &str) -> Result<T, Error> {
        text.parse().map_err(|_| self.invalid(format!("`{}` is no {}", shown(text), T::NAME)))
    }

    /// The number that the whole value is.
    pub(super) fn number<T: Number>(self) -> Result<T, Error> {
        self.parse(self.value)
    }

    /// Says what is wrong with it.
    pub(super) fn invalid(self, reason: impl Into<String>) -> Error {
        Error::invalid(format!("line {}, `{}`", self.number, shown(self.key)), reason)
    }
}

/// As much of a text as a message has room for.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().nth(MOST).is_some() {
        text.chars().take(MOST).chain(['…']).collect()
    } else {
        text.to_owned()
    }
}

impl<'a> Block<'a> {
    pub(super) fn find(&self, key: &str) -> Option<Entry<'a>> {
        self.entries.get(key).copied()
    }

    pub(super) fn get(&self, key: &str) -> Result<Entry<'a>, Error> {
        let missing = || Error::invalid(format!("line {}", self.number), format!("no `{key}` follows"));
        self.find(key).ok_or_else(missing)
    }

    /// The list of a key, of which the length is known.
    pub(super) fn list<T: Number>(
        &self,
        lines: &mut Lines<'a>,
        key: &str,
        length: usize,
    ) -> Result<Vec<T>, Error> {
        let entry = self.get(key)?;
        let list = lines.list(entry)?;
        if list.len() != length {
            return Err(entry.invalid(format!("it has {} numbers, not {length}", list.len())));
        }
        Ok(list)
    }
}
