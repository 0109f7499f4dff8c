mod balance;
mod bench;
mod detection;
mod fills;
mod grants;
mod moves;
mod world;
