//! The settings that the command line takes.

use std::path::PathBuf;

use clap::Args;
use toml::{Table, Value};

/// How a node runs: the command line's part of it.
#[derive(Clone, Debug, Default, Args)]
pub struct Flags {
    /// A TOML file with the node's settings.
    #[arg(long, value_name = "FILE", env = "EMBERGRID_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// Keeps maps, models, bindings and the node's id here; without it they go with the process.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Listens for clients here [default: 127.0.0.1:7700].
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Option<String>,
    /// Listens for peers here [default: 127.0.0.1:7701].
    #[arg(long, value_name = "HOST:PORT")]
    pub peer_listen: Option<String>,
    /// Where clients are told to go [default: where it listens].
    #[arg(long, value_name = "HOST:PORT")]
    pub advertise: Option<String>,
    /// Where peers are told to go [default: where it listens for them].
    #[arg(long, value_name = "HOST:PORT")]
    pub peer_advertise: Option<String>,
    /// Nodes of the cluster to join.
    #[arg(long, value_name = "HOST:PORT,..", value_delimiter = ',')]
    pub seeds: Option<Vec<String>>,
    /// Founds the cluster when this many nodes have met.
    #[arg(long, value_name = "N")]
    pub expect: Option<u32>,
    /// Prints the settings that result, as a TOML file, and ends.
    #[arg(long)]
    pub print_config: bool,
}

impl Flags {
    /// Puts what was given over what was there.
    pub(super) fn lay_over(&self, settings: &mut Table) {
        let text = |text: &String| Value::String(text.clone());
        let path = |path: &PathBuf| Value::String(path.to_string_lossy().into_owned());
        let list = |list: &Vec<String>| Value::Array(list.iter().map(text).collect());
        let given = [
            ("data_dir", self.data_dir.as_ref().map(path)),
            ("listen", self.listen.as_ref().map(text)),
            ("peer_listen", self.peer_listen.as_ref().map(text)),
            ("advertise", self.advertise.as_ref().map(text)),
            ("peer_advertise", self.peer_advertise.as_ref().map(text)),
            ("seeds", self.seeds.as_ref().map(list)),
            ("expect", self.expect.map(|count| Value::Integer(count.into()))),
        ];
        for (key, value) in given {
            if let Some(value) = value {
                set(settings, "node", key, value);
            }
        }
    }
}

/// Replaces one setting.
pub(super) fn set(settings: &mut Table, section: &str, key: &str, value: Value) {
    let table = settings.entry(section).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(table) = table {
        table.insert(key.to_owned(), value);
    }
}
