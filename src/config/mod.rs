//! A node's settings: one section a component, read by the command line alone.
//!
//! What counts, from least to most: the defaults, the TOML file, `EMBERGRID_SECTION__KEY` in the environment, the
//! command line. An unknown key is refused wherever it stands. The result is [`Settings`]: each component's options.

mod environment;
mod file;
mod flags;
mod safety;
mod secret;
mod settings;
#[cfg(test)]
mod tests;

pub use file::Config;
pub use flags::Flags;
pub use settings::Settings;
