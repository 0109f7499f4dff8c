//! The Python that runs the rivals: `$RIVALS_PYTHON`, or `python3`, with `benches/rivals/requirements.txt` installed.

use std::ffi::OsString;
use std::process::Command;

/// The interpreter.
pub(crate) fn interpreter() -> OsString {
    std::env::var_os("RIVALS_PYTHON").unwrap_or_else(|| "python3".into())
}

/// The library of ONNX Runtime: `$ORT_DYLIB_PATH`, or the one inside the `onnxruntime` wheel.
pub(crate) fn onnx_runtime_library() -> OsString {
    const FIND: &str = "import glob, os, onnxruntime\n\
        print(glob.glob(os.path.join(os.path.dirname(onnxruntime.__file__), 'capi', 'libonnxruntime.*'))[0])";
    std::env::var_os("ORT_DYLIB_PATH")
        .unwrap_or_else(|| super::run(Command::new(interpreter()).args(["-c", FIND])).trim_end().into())
}
