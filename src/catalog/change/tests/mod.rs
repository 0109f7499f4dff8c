mod departure;
mod metadata;
mod placement;
mod properties;
mod stored;
