//! How a model is loaded: which backend computes, and how large a file may be.

use std::{fmt, str::FromStr};

use super::Error;
use crate::types;

/// Who computes the tensor operators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Backend {
    /// burn-flex: the faster of the two on small batches.
    #[default]
    Flex,
    /// burn-ndarray.
    Ndarray,
    /// burn-wgpu: a GPU through Vulkan. It is given tensors of 32-bit floats alone: of the functions in 64 bits a GPU has
    /// few, so those are computed as [`Backend::Flex`] does.
    #[cfg(feature = "gpu")]
    Wgpu,
}

impl Backend {
    /// The backends of this build.
    pub const ALL: &[Backend] = &[
        Backend::Flex,
        Backend::Ndarray,
        #[cfg(feature = "gpu")]
        Backend::Wgpu,
    ];

    /// The name used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Flex => "flex",
            Backend::Ndarray => "ndarray",
            #[cfg(feature = "gpu")]
            Backend::Wgpu => "wgpu",
        }
    }

    /// Whether it is given 32-bit floats alone.
    pub(super) fn narrow(self) -> bool {
        match self {
            Backend::Flex | Backend::Ndarray => false,
            #[cfg(feature = "gpu")]
            Backend::Wgpu => true,
        }
    }

    /// Whether its device is there: that of a GPU may not be.
    pub(super) fn ready(self) -> Result<(), Error> {
        match self {
            Backend::Flex | Backend::Ndarray => Ok(()),
            #[cfg(feature = "gpu")]
            Backend::Wgpu => super::gpu::device().map(|_| ()),
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
        let names = || Backend::ALL.iter().map(|backend| backend.name());
        if let Some(backend) = Backend::ALL.iter().find(|backend| backend.name() == name) {
            return Ok(*backend);
        }
        let known = names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
        if name == "wgpu" {
            let hint = format!("build it with `cargo build --release --features gpu`, or use {known}");
            return Err(types::Error::invalid("backend `wgpu` is not built into this binary").hint(hint));
        }
        let error = types::Error::invalid(format!("no backend `{name}`"));
        Err(match types::nearest(name, names()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("use {known}")),
        })
    }
}

/// How large a model may be. Everything is checked before memory is taken for it.
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
    /// How deep graphs may be inside of operators of other graphs, and functions call each other.
    pub nesting: usize,
    /// Rounds of all loops together, in one run.
    pub steps: usize,
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
            nesting: 24,
            steps: 1 << 20,
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
        for backend in Backend::ALL {
            assert_eq!(backend.name().parse(), Ok(*backend));
        }
        let error = "ndaray".parse::<Backend>().unwrap_err();
        assert_eq!(error.to_string(), "no backend `ndaray` (did you mean `ndarray`?)");
    }

    #[cfg(not(feature = "gpu"))]
    #[test]
    fn a_build_without_the_gpu_says_how_to_build_one() {
        let error = "wgpu".parse::<Backend>().unwrap_err();
        let text = "backend `wgpu` is not built into this binary \
            (build it with `cargo build --release --features gpu`, or use `flex` or `ndarray`)";
        assert_eq!(error.to_string(), text);
    }
}
