//! Settings from the environment: `EMBERGRID_SECTION__KEY`.

use std::ffi::OsString;

use toml::{Table, Value};

use super::{Config, flags::set};
use crate::types::{Error, Result, read_toml};

const PREFIX: &str = "EMBERGRID_";

/// The environment of a process: names and values.
pub(super) type Environment = Vec<(OsString, OsString)>;

/// Puts what the environment says over what was there.
pub(super) fn lay_over(environment: &Environment, settings: &mut Table) -> Result<()> {
    for (name, value) in environment {
        let Some((name, section, key)) = name.to_str().and_then(split) else { continue };
        let value = value
            .to_str()
            .ok_or_else(|| Error::invalid(format!("the environment variable {name} is not UTF-8")))?;
        set(settings, &section, &key, read(name, &section, &key, value)?);
    }
    Ok(())
}

/// `EMBERGRID_NODE__DATA_DIR`: the whole, `node` and `data_dir`.
fn split(name: &str) -> Option<(&str, String, String)> {
    let (section, key) = name.strip_prefix(PREFIX)?.split_once("__")?;
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    (plain(section) && plain(key)).then(|| (name, section.to_lowercase(), key.to_lowercase()))
}

/// The value as the setting takes it: as text if it takes text, else as TOML.
fn read(name: &str, section: &str, key: &str, value: &str) -> Result<Value> {
    let document = |written: &str| format!("[{section}]\n{key} = {written}\n");
    let text = Value::String(value.to_owned());
    let as_text = check(name, &document(&text.to_string()));
    if as_text.is_ok() {
        return Ok(text);
    }
    let table = toml::from_str::<Table>(&document(value)).ok();
    let written = table.and_then(|mut table| table.remove(section)?.as_table_mut()?.remove(key));
    match written {
        Some(written) => check(name, &document(value)).map(|()| written),
        None => as_text.map(|()| text),
    }
}

/// Refuses a setting that is none. The line is left out: it is one of a file that does not exist.
fn check(name: &str, document: &str) -> Result<()> {
    let place = format!("the environment variable {name}");
    read_toml::<Config>(&place, document).map(|_| ()).map_err(|mut error| {
        let said = error.message.strip_prefix(&place).unwrap_or(&error.message);
        let said = said.trim_start_matches(|character: char| character == ':' || character.is_ascii_digit());
        error.message = format!("{place}:{said}").into();
        error
    })
}
