//! How a model is loaded: which backend computes, and how large a file may be.

use std::{fmt, str::FromStr};

use crate::types;

/// Who computes the tensor operators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Backend {
    /// burn-flex: the faster of the two on small batches.
    #[default]
    Flex,
    /// burn-ndarray.
    Ndarray,
}

impl Backend {
    /// The name used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Flex => "flex",
            Backend::Ndarray => "ndarray",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Backend {
    type Err = types::Error;

    fn from_str(name: &str) -> Result<Backend, types::Error> {
        match name {
            "flex" => Ok(Backend::Flex),
            "ndarray" => Ok(Backend::Ndarray),
            "wgpu" => Err(types::Error::invalid("backend `wgpu` is not built into this binary")
                .hint("use `flex` or `ndarray`")),
            _ => {
                let error = types::Error::invalid(format!("no backend `{name}`"));
                Err(match types::nearest(name, ["flex", "ndarray"]) {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error.hint("use `flex` or `ndarray`"),
                })
            }
        }
    }
}

/// How large a model file may be. Everything is checked before memory is taken for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub bytes: usize,
    /// Operators in the graph.
    pub nodes: usize,
    /// Elements of any one tensor, given or computed.
    pub elements: usize,
    /// Elements of all initializers together.
    pub parameters: usize,
    /// Length of the longest chain of operators.
    pub depth: usize,
    /// Dimensions of a tensor.
    pub rank: usize,
    /// Bytes of a name or string.
    pub text: usize,
    /// Number of names and strings.
    pub texts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            bytes: 512 << 20,
            nodes: 100_000,
            elements: 1 << 28,
            parameters: 1 << 28,
            depth: 20_000,
            rank: 8,
            text: 1 << 20,
            texts: 1 << 24,
        }
    }
}

/// How to load a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Who computes.
    pub backend: Backend,
    /// How large the file may be.
    pub limits: Limits,
    /// Where an operator has both, tensors of at most this many elements go through a plain loop, larger ones to
    /// the backend: a call into it costs more than so few elements do. `benches/engine.rs` measures where they meet.
    pub loop_elements: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { backend: Backend::default(), limits: Limits::default(), loop_elements: 1024 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_is_named_and_near_names_are_suggested() {
        assert_eq!("flex".parse::<Backend>(), Ok(Backend::Flex));
        assert_eq!("ndarray".parse::<Backend>(), Ok(Backend::Ndarray));
        let error = "ndaray".parse::<Backend>().unwrap_err();
        assert_eq!(error.to_string(), "no backend `ndaray` (did you mean `ndarray`?)");
        let error = "wgpu".parse::<Backend>().unwrap_err();
        assert_eq!(error.message, "backend `wgpu` is not built into this binary");
    }
}
