//! What is kept on disk: after a crash, with flipped bits, and with no room left.

mod crash;
mod dice;
mod files;
mod flips;
mod full;
mod history;
mod platter;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
