//! Compiles `proto/` with protox, in Rust: there is no protoc to install.

#[cfg(feature = "wire")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    const PROTOS: [&str; 3] =
        ["embergrid/v1/value.proto", "embergrid/v1/grid.proto", "embergrid/v1/admin.proto"];

    println!("cargo::rerun-if-changed=proto");
    println!("cargo::rerun-if-changed=build.rs");
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(false).open_files(PROTOS)?;
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("embergrid.v1.bin"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure()
        .build_transport(false)
        .bytes(".embergrid.v1")
        // Rare, and large: without them an answer is a third as long.
        .boxed(".embergrid.v1.Written.old")
        .boxed(".embergrid.v1.Written.row")
        // Written by hand: their operations and replies stay packed.
        .extern_path(".embergrid.v1.ClientFrame", "crate::wire::ClientFrame")
        .extern_path(".embergrid.v1.ServerFrame", "crate::wire::ServerFrame")
        .server_mod_attribute(".", "#[cfg(feature = \"node\")]")
        .client_mod_attribute(".", "#[cfg(feature = \"client\")]")
        .compile_fds(compiler.include_source_info(true).file_descriptor_set())?;
    Ok(())
}

#[cfg(not(feature = "wire"))]
fn main() {}
