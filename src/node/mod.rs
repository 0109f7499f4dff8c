//! The only owner of threads and tasks.
