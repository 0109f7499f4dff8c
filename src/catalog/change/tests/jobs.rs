//! Jobs, from their start to their end.

use super::metadata::{alias, binding, refused, toured};
use crate::{
    catalog::{
        Catalogue, Command, Job, JobPart, JobState, JobTally, MAX_CONDITION_BYTES, MAX_JOBS,
        MAX_RUNNING_JOBS, MapFile, Response,
    },
    types::{JobId, PartitionId, Timestamp},
};

const FIRST: JobId = JobId(1);

fn score(binding: &str, at: i64) -> Command {
    Command::StartJob {
        map: "screening".into(),
        binding: binding.into(),
        condition: None,
        rows: 100,
        at: Timestamp(at),
    }
}

fn part(partition: u16, done: u64, refused: u64, passed: u64) -> JobPart {
    let refusal = (refused > 0).then(|| format!("{partition}").repeat(JobPart::MAX_REFUSAL_CHARS + 1));
    JobPart { partition: PartitionId(partition), tally: JobTally { done, refused, passed }, refusal }
}

fn report(job: JobId, finished: Vec<JobPart>, at: i64) -> Command {
    Command::JobProgress { job, finished, at: Timestamp(at) }
}

fn pause(job: JobId, at: i64) -> Command {
    Command::PauseJob { job, at: Timestamp(at) }
}

fn resume(job: JobId, at: i64) -> Command {
    Command::ResumeJob { job, at: Timestamp(at) }
}

fn cancel(job: JobId, at: i64) -> Command {
    Command::CancelJob { job, at: Timestamp(at) }
}

/// Applies a command about a job, which never lets a partition cut over: the state of the job after it, and whether it
/// is shown to those who watch.
fn step(catalogue: &mut Catalogue, command: &Command) -> (JobState, bool) {
    let (version, jobs) = (catalogue.version, catalogue.jobs_version);
    let Response::Job { id, state } = catalogue.apply(command).unwrap() else { panic!("{command:?}") };
    assert_eq!((catalogue.version, catalogue.job(id).unwrap().state), (version, state));
    (state, catalogue.jobs_version != jobs)
}

fn job(catalogue: &Catalogue, id: JobId) -> &Job {
    catalogue.job(id).unwrap()
}

/// Total, done, refused, milliseconds.
fn figures(catalogue: &Catalogue, now: i64) -> (u64, u64, u64, u64) {
    let job = job(catalogue, FIRST);
    (job.total(), job.tally.done, job.tally.refused, job.ran_ms(Timestamp(now)))
}

#[test]
fn a_job_is_done_when_every_partition_is() {
    let mut catalogue = toured();
    assert_eq!(step(&mut catalogue, &score("screen", 1_000)), (JobState::Running, true));
    assert_eq!(figures(&catalogue, 1_500), (100, 0, 0, 500));
    assert!(job(&catalogue, FIRST).is_open(PartitionId(0)));

    let first = report(FIRST, vec![part(0, 40, 2, 10)], 2_000);
    assert_eq!(step(&mut catalogue, &first), (JobState::Running, true));
    assert_eq!(figures(&catalogue, 2_000), (90, 40, 2, 1_000));
    assert!(
        !job(&catalogue, FIRST).is_open(PartitionId(0)) && job(&catalogue, FIRST).is_open(PartitionId(1))
    );
    assert_eq!(step(&mut catalogue, &first), (JobState::Running, false), "a report counts once");

    let rest = report(FIRST, vec![part(0, 40, 2, 10), part(1, 70, 3, 0)], 3_000);
    assert_eq!(step(&mut catalogue, &rest), (JobState::Done, true));
    assert_eq!(figures(&catalogue, 9_000), (115, 110, 5, 2_000), "what there was to do is known in the end");
    assert_eq!(job(&catalogue, FIRST).refusal, Some("0".repeat(JobPart::MAX_REFUSAL_CHARS)));
    assert!(!job(&catalogue, FIRST).is_open(PartitionId(1)));
    assert_eq!(step(&mut catalogue, &rest), (JobState::Done, false));
}

#[test]
fn a_job_rests_goes_on_and_ends() {
    let mut catalogue = toured();
    step(&mut catalogue, &score("screen", 0));
    assert_eq!(step(&mut catalogue, &pause(FIRST, 10)), (JobState::Paused, true));
    assert_eq!(step(&mut catalogue, &pause(FIRST, 15)), (JobState::Paused, false));
    assert!(!job(&catalogue, FIRST).is_open(PartitionId(0)));
    let late = report(FIRST, vec![part(0, 1, 0, 0)], 20);
    assert_eq!(
        step(&mut catalogue, &late),
        (JobState::Paused, true),
        "what was finished by then is finished"
    );
    assert_eq!(step(&mut catalogue, &resume(FIRST, 100)), (JobState::Running, true));
    assert_eq!(step(&mut catalogue, &resume(FIRST, 105)), (JobState::Running, false));
    assert!(
        !job(&catalogue, FIRST).is_open(PartitionId(0)) && job(&catalogue, FIRST).is_open(PartitionId(1))
    );
    assert_eq!(step(&mut catalogue, &cancel(FIRST, 107)), (JobState::Cancelled, true));
    assert_eq!(figures(&catalogue, 900), (100, 1, 0, 17));
    assert_eq!(step(&mut catalogue, &cancel(FIRST, 110)), (JobState::Cancelled, false));
    let over = report(FIRST, vec![part(1, 9, 0, 0)], 120);
    assert_eq!(step(&mut catalogue, &over), (JobState::Cancelled, false));
    assert_eq!(
        refused(&mut catalogue, &resume(FIRST, 130)),
        "conflict: job 1 is cancelled (start another: `embergrid job score MAP --binding NAME`)"
    );
    assert_eq!(
        refused(&mut catalogue, &pause(JobId(2), 130)),
        "not_found: there is no job 2 (`embergrid job list` shows those there are)"
    );
    assert_eq!(step(&mut catalogue, &score("screen", 200)), (JobState::Running, true));
    assert_eq!(job(&catalogue, JobId(2)).tally, JobTally::default());
}

#[test]
fn a_clock_that_goes_back_takes_no_time_away() {
    let mut catalogue = toured();
    step(&mut catalogue, &score("screen", 1_000));
    assert_eq!(figures(&catalogue, 400).3, 0);
    step(&mut catalogue, &pause(FIRST, 1_700));
    step(&mut catalogue, &resume(FIRST, 5_000));
    step(&mut catalogue, &pause(FIRST, 4_000));
    assert_eq!(figures(&catalogue, 0).3, 700);
}

#[test]
fn what_cannot_be_scored_is_not_started() {
    let mut catalogue = toured();
    catalogue.apply(&Command::CreateMap(MapFile::plain("notes"))).unwrap();
    let wrong = |change: &dyn Fn(&mut String, &mut String, &mut Option<String>)| {
        let (mut map, mut binding, mut condition) = ("screening".into(), "screen".into(), None);
        change(&mut map, &mut binding, &mut condition);
        Command::StartJob { map, binding, condition, rows: 0, at: Timestamp(0) }
    };
    assert_eq!(
        refused(&mut catalogue, &wrong(&|map, _, _| *map = "screning".into())),
        "not_found: there is no map `screning` (did you mean `screening`?)"
    );
    assert_eq!(
        refused(&mut catalogue, &wrong(&|_, binding, _| *binding = "scren".into())),
        "not_found: there is no binding `scren` (did you mean `screen`?)"
    );
    assert_eq!(
        refused(&mut catalogue, &wrong(&|map, _, _| *map = "notes".into())),
        "invalid: the binding `screen` scores the map `screening`, not `notes`"
    );
    let long = "x".repeat(MAX_CONDITION_BYTES + 1);
    assert_eq!(
        refused(&mut catalogue, &wrong(&|_, _, condition| *condition = Some(long.clone()))),
        "invalid: the condition has 16385 bytes, more than 16384"
    );
    step(&mut catalogue, &score("screen", 0));
    assert_eq!(
        refused(&mut catalogue, &score("screen", 1)),
        "conflict: job 1 scores `screening` under `screen` already: it is running (wait for it: `embergrid job \
         show`, or cancel it: `embergrid job cancel`)"
    );
    assert_eq!(
        refused(&mut catalogue, &report(FIRST, vec![part(2, 0, 0, 0)], 1)),
        "not_found: there is no partition 2"
    );
    let three = (0..3).map(|_| part(0, 0, 0, 0)).collect();
    assert_eq!(refused(&mut catalogue, &report(FIRST, three, 1)), "invalid: 3 partitions are reported of 2");
}

#[test]
fn a_job_follows_its_binding_while_that_is_there() {
    let mut catalogue = toured();
    step(&mut catalogue, &score("screen", 0));
    let version = crate::catalog::ModelVersion {
        version: 2,
        ..crate::catalog::ModelVersion::clone(catalogue.model_version("cancer", 1).unwrap())
    };
    catalogue.apply(&Command::AddModel { version, alias: None }).unwrap();
    catalogue.apply(&alias(2)).unwrap();
    assert_eq!(job(&catalogue, FIRST).state, JobState::Running);

    let other = binding("screen", "benign", "cancer@champion");
    catalogue.apply(&Command::ApplyBinding(other.clone())).unwrap();
    let failed = job(&catalogue, FIRST);
    assert_eq!(
        (failed.state, failed.reason.as_deref()),
        (JobState::Failed, Some("the binding was defined anew"))
    );

    step(&mut catalogue, &score("screen", 0));
    let jobs = catalogue.jobs_version;
    catalogue.apply(&Command::ApplyBinding(other)).unwrap();
    assert_eq!((job(&catalogue, JobId(2)).state, catalogue.jobs_version), (JobState::Running, jobs));
    catalogue.apply(&Command::DeleteBinding { name: "screen".into() }).unwrap();
    let failed = job(&catalogue, JobId(2));
    assert_eq!((failed.state, failed.reason.as_deref()), (JobState::Failed, Some("the binding was deleted")));
    assert_ne!(catalogue.jobs_version, jobs);
}

#[test]
fn the_jobs_that_are_over_longest_are_forgotten() {
    let mut catalogue = toured();
    for job in 1..=MAX_JOBS as u32 + 5 {
        step(&mut catalogue, &score("screen", 0));
        step(&mut catalogue, &cancel(JobId(job), 0));
    }
    let ids: Vec<u32> = catalogue.jobs().map(|job| job.id.0).collect();
    assert_eq!(ids, (6..=MAX_JOBS as u32 + 5).collect::<Vec<_>>());
}

#[test]
fn only_so_many_jobs_are_under_way() {
    let mut catalogue = toured();
    let columns: Vec<String> = (0..=MAX_RUNNING_JOBS).map(|n| format!("m{n}")).collect();
    for map in &columns {
        let mut file = super::metadata::screening();
        file.map.clone_from(map);
        catalogue.apply(&Command::CreateMap(file)).unwrap();
        let mut bound = binding(map, "malignant", "cancer@champion");
        bound.map.clone_from(map);
        catalogue.apply(&Command::ApplyBinding(bound)).unwrap();
    }
    let start = |map: &String| Command::StartJob {
        map: map.clone(),
        binding: map.clone(),
        condition: None,
        rows: 0,
        at: Timestamp(0),
    };
    columns[..MAX_RUNNING_JOBS].iter().for_each(|map| drop(catalogue.apply(&start(map)).unwrap()));
    assert_eq!(
        refused(&mut catalogue, &start(&columns[MAX_RUNNING_JOBS])),
        "conflict: there are 16 jobs that are not over already, the limit"
    );
}

#[test]
fn jobs_survive_a_snapshot() {
    let mut catalogue = toured();
    step(&mut catalogue, &score("screen", 3));
    step(&mut catalogue, &report(FIRST, vec![part(1, 4, 0, 0)], 5));
    let restored: Catalogue = serde_json::from_slice(&serde_json::to_vec(&catalogue).unwrap()).unwrap();
    assert_eq!(restored, catalogue);
}
