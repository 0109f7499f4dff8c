//! The score pool: threads for batches too dear to run between other operations.

use std::{
    sync::{Arc, mpsc},
    thread,
};

use parking_lot::Mutex;

/// Something to run on the pool.
type Job = Box<dyn FnOnce() + Send>;

/// A few threads that run jobs in the order of their arrival. How many jobs can wait is bounded by what the
/// partitions admit.
#[derive(Debug)]
pub(super) struct Pool {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    threads: Mutex<Vec<thread::JoinHandle<()>>>,
}

impl Pool {
    /// Starts `threads` threads.
    pub(super) fn start(threads: usize) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel::<Job>();
        let receiver = Arc::new(Mutex::new(receiver));
        let start = |number: usize| {
            let receiver = receiver.clone();
            thread::Builder::new().name(format!("score-{number}")).spawn(move || work(&receiver))
        };
        let threads = (0..threads.max(1)).map(start).collect::<std::io::Result<Vec<_>>>()?;
        Ok(Pool { jobs: Mutex::new(Some(sender)), threads: Mutex::new(threads) })
    }

    /// Queues a job; after [`Pool::stop`] it is dropped, with the node whose operations it served.
    pub(super) fn run(&self, job: impl FnOnce() + Send + 'static) {
        if let Some(jobs) = &*self.jobs.lock() {
            // Fails only if every thread has ended, which is after `stop`.
            let _ = jobs.send(Box::new(job));
        }
    }

    /// Finishes what is queued and ends the threads.
    pub(super) fn stop(&self) {
        drop(self.jobs.lock().take());
        for thread in std::mem::take(&mut *self.threads.lock()) {
            // A job that panicked has told so itself.
            let _ = thread.join();
        }
    }
}

fn work(jobs: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let job = jobs.lock().recv();
        match job {
            Ok(job) => job(),
            Err(mpsc::RecvError) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_waits_for_what_is_queued() {
        let pool = Pool::start(2).expect("threads");
        let done = Arc::new(Mutex::new(0));
        for _ in 0..100 {
            let done = done.clone();
            pool.run(move || *done.lock() += 1);
        }
        pool.stop();
        assert_eq!(*done.lock(), 100);
    }
}
