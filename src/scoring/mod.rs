//! Batches, pools and deadlines over model.
