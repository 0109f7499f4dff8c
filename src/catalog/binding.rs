//! Bindings as they are asked for.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::check_name;
use crate::types::{BindingId, Error, MapId, Result, read_toml};

/// The one format of binding files so far.
const FORMAT: u32 = 1;

/// A binding of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Never reused; a changed definition has a new one.
    pub id: BindingId,
    /// As it was asked for.
    pub file: BindingFile,
    /// The map it scores.
    pub map: MapId,
    /// The version that the file's reference names now.
    pub model_version: u32,
}

/// When a row of a map is written, score it with a model and store the result in the row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingFile {
    /// Its name.
    pub name: String,
    /// The map it scores.
    pub map: String,
    /// With what.
    pub model: ModelReference,
    /// Whether a write waits for its score.
    pub mode: Mode,
    /// How long a write waits at most, in milliseconds.
    pub deadline_ms: u64,
    /// What happens then.
    pub on_deadline: OnDeadline,
    /// What happens to NaN in a feature.
    pub nan: Nan,
    /// Feature to SQL expression. A feature that is not listed is the column of the same name.
    pub features: BTreeMap<String, String>,
    /// Score column to output element: `probabilities.malignant`, `probabilities[0]`.
    pub outputs: BTreeMap<String, String>,
}

/// Whether a write waits for its score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It does: row and score commit together.
    #[default]
    Sync,
    /// It does not: the score follows in an entry of its own.
    Async,
}

/// What happens to a write whose score is late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDeadline {
    /// It is refused.
    #[default]
    Reject,
    /// It is stored, marked as unscored, and scored later.
    StoreUnscored,
}

/// What happens to NaN in a feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nan {
    /// The write is refused.
    #[default]
    Reject,
    /// The model sees it.
    Pass,
}

/// Names a version of a model: `name@alias` or `name@1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelReference {
    /// The model's name.
    pub name: String,
    /// Which version.
    pub target: Target,
}

/// Which version of a model is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The one an alias names: a binding follows the alias when it moves.
    Alias(String),
    /// This one, for ever.
    Version(u32),
}

/// The file as users write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    name: String,
    map: String,
    model: ModelReference,
    #[serde(default)]
    mode: Mode,
    #[serde(default = "default_deadline_ms")]
    deadline_ms: u64,
    #[serde(default)]
    on_deadline: OnDeadline,
    #[serde(default)]
    nan: Nan,
    #[serde(default)]
    features: BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
}

fn default_deadline_ms() -> u64 {
    50
}

impl BindingFile {
    /// The longest that a write may be told to wait, in milliseconds.
    pub const MAX_DEADLINE_MS: u64 = 60_000;

    /// Reads a binding file; `place` names it in errors.
    pub fn parse(place: &str, text: &str) -> Result<Self> {
        let document: Document = read_toml(place, text)?;
        let Document { format, name, map, model, mode, deadline_ms, on_deadline, nan, features, outputs } =
            document;
        super::manifest::check_format(format, FORMAT).map_err(|error| error.within(place))?;
        let file = BindingFile { name, map, model, mode, deadline_ms, on_deadline, nan, features, outputs };
        file.check().map_err(|error| error.within(place))?;
        Ok(file)
    }

    /// Refuses what no catalogue could make a binding of.
    pub(super) fn check(&self) -> Result<()> {
        check_name("binding", &self.name)?;
        check_name("map", &self.map)?;
        if !(1..=Self::MAX_DEADLINE_MS).contains(&self.deadline_ms) {
            return Err(Error::invalid(format!("deadline_ms = {} is out of range", self.deadline_ms))
                .hint(format!("it lies between 1 and {}", Self::MAX_DEADLINE_MS)));
        }
        if self.outputs.is_empty() {
            return Err(Error::invalid(format!("the binding `{}` stores no output", self.name)).hint(
                "under [outputs] say which score column takes which output: `risk = \"probabilities.fraud\"`",
            ));
        }
        let bytes: usize =
            self.features.iter().chain(&self.outputs).map(|(name, text)| name.len() + text.len()).sum();
        if bytes > crate::types::MAX_DOCUMENT_BYTES {
            return Err(Error::invalid(format!("the binding `{}` has {bytes} bytes of text", self.name))
                .hint(format!("the limit is {}", crate::types::MAX_DOCUMENT_BYTES)));
        }
        Ok(())
    }
}

impl FromStr for ModelReference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || {
            Error::invalid(format!("`{}` does not name a version of a model", text.escape_debug()))
                .hint("write `name@alias` or `name@1`")
        };
        let (name, target) = text.split_once('@').ok_or_else(refuse)?;
        check_name("model", name)?;
        let target = match target.parse::<u32>() {
            Ok(version) => Target::Version(version),
            Err(_) => {
                check_alias(target).map_err(|_| refuse())?;
                Target::Alias(target.to_owned())
            }
        };
        Ok(ModelReference { name: name.to_owned(), target })
    }
}

/// Refuses what cannot be an alias: it must not look like a version.
pub(super) fn check_alias(alias: &str) -> Result<()> {
    check_name("alias", alias)?;
    if alias.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(
            Error::invalid(format!("`{alias}` cannot name an alias")).hint("a number names a version")
        );
    }
    Ok(())
}

impl fmt::Display for ModelReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Target::Alias(alias) => write!(f, "{}@{alias}", self.name),
            Target::Version(version) => write!(f, "{}@{version}", self.name),
        }
    }
}

impl TryFrom<String> for ModelReference {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ModelReference> for String {
    fn from(reference: ModelReference) -> Self {
        reference.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
format = 1
name = "screening-malignant"
map = "screening"
model = "breast-cancer@champion"
mode = "sync"
deadline_ms = 50
on_deadline = "store_unscored"
nan = "pass"
[features]
mean_texture = "coalesce(mean_texture, 19.3)"
[outputs]
malignant = "probabilities.malignant"
"#;

    #[test]
    fn reads_a_file() {
        let file = BindingFile::parse("b.toml", FILE).unwrap();
        assert_eq!(
            file,
            BindingFile {
                name: "screening-malignant".into(),
                map: "screening".into(),
                model: ModelReference {
                    name: "breast-cancer".into(),
                    target: Target::Alias("champion".into()),
                },
                mode: Mode::Sync,
                deadline_ms: 50,
                on_deadline: OnDeadline::StoreUnscored,
                nan: Nan::Pass,
                features: [("mean_texture".to_owned(), "coalesce(mean_texture, 19.3)".to_owned())].into(),
                outputs: [("malignant".to_owned(), "probabilities.malignant".to_owned())].into(),
            }
        );
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        let refusal = |from: &str, to: &str| {
            BindingFile::parse("b.toml", &FILE.replace(from, to)).unwrap_err().to_string()
        };
        assert_eq!(
            refusal("deadline_ms = 50", "deadline = 50"),
            "b.toml:7: there is no key `deadline` (did you mean `deadline_ms`?)"
        );
        assert_eq!(
            refusal("\"sync\"", "\"syn\""),
            "b.toml:6: there is no choice `syn` (did you mean `sync`?)"
        );
        assert_eq!(
            refusal("format = 1", "format = 2"),
            "b.toml: format = 2 is not known (this release reads format = 1)"
        );
        assert_eq!(
            refusal("deadline_ms = 50", "deadline_ms = 0"),
            "b.toml: deadline_ms = 0 is out of range (it lies between 1 and 60000)"
        );
        assert_eq!(
            refusal("breast-cancer@champion", "breast-cancer"),
            "b.toml:5: `breast-cancer` does not name a version of a model (write `name@alias` or `name@1`)"
        );
        assert!(refusal("malignant = \"probabilities.malignant\"", "").contains("stores no output"));
    }

    #[test]
    fn a_reference_is_an_alias_or_a_number() {
        for text in ["m@champion", "m@1", "m@v1"] {
            assert_eq!(text.parse::<ModelReference>().unwrap().to_string(), text);
        }
        assert_eq!("m@7".parse::<ModelReference>().unwrap().target, Target::Version(7));
        for text in ["m", "m@", "@1", "m@a b", "m@99999999999"] {
            assert!(text.parse::<ModelReference>().is_err(), "{text}");
        }
    }
}
