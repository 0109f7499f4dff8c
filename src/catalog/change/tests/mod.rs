mod departure;
mod jobs;
mod metadata;
mod placement;
mod properties;
mod stored;
