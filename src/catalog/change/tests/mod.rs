mod departure;
mod jobs;
mod metadata;
mod moves;
mod placement;
mod properties;
mod stored;
