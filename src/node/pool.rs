//! The score pool: threads for batches too dear to run between other operations, and for jobs.

use std::{collections::VecDeque, sync::Arc, thread};

use parking_lot::{Condvar, Mutex};

/// Something to run on the pool.
type Task = Box<dyn FnOnce() + Send>;

/// A few threads that run tasks: first those that somebody waits for, in the order of their arrival, then those that can
/// wait. How many there are of the former is bounded by what the partitions admit, of the latter by how many a job has
/// under way.
#[derive(Debug)]
pub(super) struct Pool {
    queues: Arc<Queues>,
    threads: Mutex<Vec<thread::JoinHandle<()>>>,
    count: usize,
}

#[derive(Default)]
struct Queues {
    tasks: Mutex<Tasks>,
    arrived: Condvar,
}

#[derive(Default)]
struct Tasks {
    now: VecDeque<Task>,
    later: VecDeque<Task>,
    stopped: bool,
}

impl Pool {
    /// Starts `threads` threads, at least one.
    pub(super) fn start(threads: usize) -> std::io::Result<Self> {
        let (queues, count) = (Arc::new(Queues::default()), threads.max(1));
        let start = |number: usize| {
            let queues = queues.clone();
            thread::Builder::new().name(format!("score-{number}")).spawn(move || queues.work())
        };
        let threads = (0..count).map(start).collect::<std::io::Result<Vec<_>>>()?;
        Ok(Pool { queues, threads: Mutex::new(threads), count })
    }

    /// How many threads there are.
    pub(super) fn threads(&self) -> usize {
        self.count
    }

    /// Queues a task; after [`Pool::stop`] it is dropped, with the node whose operations it served.
    pub(super) fn run(&self, task: impl FnOnce() + Send + 'static) {
        self.queues.push(|tasks| tasks.now.push_back(Box::new(task)));
    }

    /// Queues a task that runs when nothing else waits.
    pub(super) fn run_later(&self, task: impl FnOnce() + Send + 'static) {
        self.queues.push(|tasks| tasks.later.push_back(Box::new(task)));
    }

    /// Finishes what is queued and ends the threads.
    pub(super) fn stop(&self) {
        self.queues.stop();
        for thread in std::mem::take(&mut *self.threads.lock()) {
            // A task that panicked has told so itself.
            let _ = thread.join();
        }
    }
}

/// Threads of a pool that nobody holds any more finish what is queued, and end.
impl Drop for Pool {
    fn drop(&mut self) {
        self.queues.stop();
    }
}

impl Queues {
    fn stop(&self) {
        self.tasks.lock().stopped = true;
        self.arrived.notify_all();
    }

    fn push(&self, push: impl FnOnce(&mut Tasks)) {
        let mut tasks = self.tasks.lock();
        if !tasks.stopped {
            push(&mut tasks);
            drop(tasks);
            self.arrived.notify_one();
        }
    }

    fn work(&self) {
        while let Some(task) = self.next() {
            task();
        }
    }

    /// Waits for a task; none once the pool is stopped and empty.
    fn next(&self) -> Option<Task> {
        let mut tasks = self.tasks.lock();
        loop {
            let task = tasks.now.pop_front().or_else(|| tasks.later.pop_front());
            if task.is_some() || tasks.stopped {
                return task;
            }
            self.arrived.wait(&mut tasks);
        }
    }
}

impl std::fmt::Debug for Queues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tasks = self.tasks.lock();
        f.debug_struct("Queues").field("now", &tasks.now.len()).field("later", &tasks.later.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn stop_waits_for_what_is_queued() {
        let pool = Pool::start(2).expect("threads");
        let done = Arc::new(Mutex::new(0));
        for number in 0..100 {
            let done = done.clone();
            let task = move || *done.lock() += 1;
            if number % 2 == 0 { pool.run(task) } else { pool.run_later(task) }
        }
        pool.stop();
        assert_eq!(*done.lock(), 100);
        pool.run(|| panic!("the pool is stopped"));
    }

    #[test]
    fn a_pool_that_is_let_go_ends() {
        let pool = Pool::start(1).expect("threads");
        let (sender, done) = mpsc::channel();
        pool.run_later(move || sender.send(()).expect("the test waits"));
        let queues = Arc::downgrade(&pool.queues);
        drop(pool);
        done.recv().expect("what was queued is done");
        while queues.strong_count() > 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn what_can_wait_lets_others_pass() {
        let pool = Pool::start(1).expect("threads");
        let (go, gate) = mpsc::channel();
        pool.run(move || gate.recv().expect("the test sends"));
        let order = Arc::new(Mutex::new(Vec::new()));
        for number in 0..6 {
            let order = order.clone();
            let task = move || order.lock().push(number);
            if number < 3 { pool.run_later(task) } else { pool.run(task) }
        }
        go.send(()).expect("the pool waits");
        pool.stop();
        assert_eq!(*order.lock(), [3, 4, 5, 0, 1, 2]);
    }
}
