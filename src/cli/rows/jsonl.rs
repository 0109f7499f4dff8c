//! One JSON object a line.

use std::{
    io::{BufRead, BufReader, Read},
    sync::Arc,
};

use serde_json::{Map, Value};

use super::{Line, Parsed, Shape, bounded::Bounded};
use crate::{
    row::{Schema, from_json},
    types::{Error, Key, KeyKind, Result, nearest},
};

/// The rows of a JSONL file. Blank lines are passed over.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: BufReader<Bounded<R>>,
    text: Vec<u8>,
    number: u64,
    schema: Arc<Schema>,
    key: String,
    key_kind: Option<KeyKind>,
    ignored: Vec<String>,
    ended: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(source: R, shape: &Shape) -> Self {
        Lines {
            reader: BufReader::new(Bounded::new(source)),
            text: Vec::new(),
            number: 0,
            schema: Arc::clone(&shape.schema),
            key: shape.key.clone(),
            key_kind: shape.key_kind,
            ignored: shape.ignored.clone(),
            ended: false,
        }
    }

    fn line(&self) -> Result<Line> {
        let text = self.text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.text);
        let mut object: Map<String, Value> = serde_json::from_slice(text)
            .map_err(|error| Error::invalid(format!("not a JSON object: {error}")))?;
        let key = self.key(&object)?;
        if self.schema.column(&self.key).is_none() {
            object.remove(&self.key);
        }
        object.retain(|name, _| !self.ignored.contains(name));
        Ok(Line { number: self.number, key, row: from_json(&self.schema, &object)? })
    }

    fn key(&self, object: &Map<String, Value>) -> Result<crate::types::Key> {
        let text = match object.get(&self.key) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(other) => {
                return Err(Error::invalid(format!("column `{}`: {other} is not a key", self.key)));
            }
            None => {
                let error = Error::invalid(format!("there is no `{}` for the key", self.key));
                return Err(match nearest(&self.key, object.keys().map(String::as_str)) {
                    Some(near) => error.hint(format!("did you mean `--key {near}`?")),
                    None => error,
                });
            }
        };
        Key::parse(&text, self.key_kind, None)
            .map_err(|error| error.within(format_args!("column `{}`", self.key)))
    }
}

impl<R: Read> Iterator for Lines<R> {
    type Item = Parsed;

    fn next(&mut self) -> Option<Parsed> {
        while !self.ended {
            self.text.clear();
            self.number += 1;
            self.reader.get_mut().renew();
            match self.reader.read_until(b'\n', &mut self.text) {
                Ok(0) => self.ended = true,
                Ok(_) if self.text.trim_ascii().is_empty() => {}
                Ok(_) => {
                    let number = self.number;
                    return Some(self.line().map_err(|error| error.within(format_args!("line {number}"))));
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(Error::invalid(format!("line {}: {error}", self.number))));
                }
            }
        }
        None
    }
}
