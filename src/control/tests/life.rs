//! Leaders that stop, nodes that come back, and proposals meanwhile.

use super::*;
use crate::types::{Class, Error, Incarnation};

/// Takes the leader out.
async fn leader(nodes: &mut Vec<Node>) -> Node {
    let id = nodes[0].leadership(|leadership| leadership.leader.is_some()).await.leader.unwrap();
    let at = nodes.iter().position(|node| node.id() == id).unwrap();
    nodes.remove(at)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proposals_go_on_when_the_leader_stops() {
    let mut nodes = found(3).await;
    all_vote(&nodes, 3).await;
    let gone = leader(&mut nodes).await;
    let (id, term) = (gone.id(), gone.control.leadership().borrow().term);
    gone.stop().await;
    for (number, node) in nodes.iter().enumerate() {
        node.create(&format!("m{number}")).await.unwrap();
        let now = node.leadership(|leadership| leadership.leader.is_some()).await;
        assert!(now.leader != Some(id) && now.term > term, "{now:?}");
    }
    let leads = nodes.iter().find(|node| node.control.leadership().borrow().is_me).unwrap();
    leads.control.confirm_quorum().await.unwrap();
    let follows = nodes.iter().find(|node| !node.control.leadership().borrow().is_me).unwrap();
    assert_eq!(follows.control.confirm_quorum().await.unwrap_err().class, Class::Unavailable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_quorum_nothing_is_decided_and_it_is_said() {
    let mut nodes = found(3).await;
    all_vote(&nodes, 3).await;
    let leader = leader(&mut nodes).await;
    for node in nodes {
        node.stop().await;
    }
    assert_eq!(leader.control.confirm_quorum().await.unwrap_err().class, Class::Unavailable);
    // Not even tried: nobody confirms that this node still leads.
    let asked = Command::CreateMap(MapFile::plain("a"));
    let refused = soon(leader.control.propose_once(asked)).await.unwrap_err();
    assert!(matches!(refused, super::super::Unanswered::NotTaken(_)), "{refused:?}");
    // In its log, and never decided.
    let unknown = soon(leader.control.propose_once(Command::GrantSessions { count: 1 })).await.unwrap_err();
    assert!(matches!(unknown, super::super::Unanswered::Unknown(_)), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_restarts_takes_up_its_place() {
    let folders: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let mut listening = Vec::new();
    let mut seeds = Vec::new();
    for folder in &folders {
        let place = Place { data_dir: Some(folder.path()), seeds: seeds.clone(), ..Place::default() };
        let node = Listening::at(place).await;
        seeds.push(node.address());
        listening.push(node);
    }
    let entering: Vec<_> = listening.into_iter().map(|node| tokio::spawn(node.enter(Some(3)))).collect();
    let mut nodes = Vec::new();
    for entering in entering {
        nodes.push(soon(entering).await.unwrap());
    }
    all_vote(&nodes, 3).await;
    nodes[0].create("a").await.unwrap();
    let cluster = nodes[0].cluster();
    // Each in turn, the leader among them. It needs no seeds: its folder knows the others.
    for (at, folder) in folders.iter().enumerate() {
        let node = nodes.remove(at);
        let (id, address) = (node.id(), node.address());
        node.stop().await;
        nodes[0].create(&format!("without{at}")).await.unwrap();
        let place = Place { data_dir: Some(folder.path()), listen: &address, ..Place::default() };
        let node = Listening::at(place).await;
        assert_eq!((node.opened.node(), node.opened.cluster()), (id, cluster));
        let node = node.enter(Some(3)).await;
        let started = Started { node: id, incarnation: Incarnation(2), new_generation: false };
        assert_eq!(node.started(), started);
        assert_eq!(node.maps().len(), at + 2);
        nodes.insert(at, node);
    }
    // All of them at once.
    let addresses: Vec<String> = nodes.iter().map(Node::address).collect();
    for node in nodes {
        node.stop().await;
    }
    let mut entering = Vec::new();
    for (folder, address) in folders.iter().zip(&addresses) {
        let place = Place { data_dir: Some(folder.path()), listen: address, ..Place::default() };
        entering.push(tokio::spawn(Listening::at(place).await.enter(None)));
    }
    let mut nodes = Vec::new();
    for entering in entering {
        nodes.push(soon(entering).await.unwrap());
    }
    for node in &nodes {
        assert_eq!((node.started().incarnation, node.cluster()), (Incarnation(3), cluster));
        assert_eq!(node.maps().len(), 4);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_several_does_not_start_without_the_secret() {
    let folder = tempfile::tempdir().unwrap();
    let first = Listening::with_seeds(&[]).await;
    let seeds = vec![first.address()];
    let second = Listening::at(Place { data_dir: Some(folder.path()), seeds, ..Place::default() }).await;
    let (first, second) = tokio::join!(first.enter(Some(2)), second.enter(Some(2)));
    second.voters(2).await;
    second.stop().await;
    let opened = Control::open(Some(folder.path().to_owned())).await.unwrap();
    let error = soon(Control::start(opened, options(), None)).await.err().unwrap();
    assert_eq!(error.message, "the data folder is that of a node in a cluster of several");
    first.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leader_admits_for_all() {
    let admission = Admission::new(|catalogue, command| match command {
        Command::CreateMap(_) if catalogue.maps().count() == 1 => Err(Error::conflict("one map is enough")),
        _ => Ok(()),
    });
    let first = Listening::with_seeds(&[]).await;
    let second = Listening::with_seeds(&[first.address()]).await;
    let tell = |options: &mut Options| {
        options.expect = Some(2);
        options.admission = admission.clone();
    };
    let (first, second) = tokio::join!(first.enter_with(tell), second.enter_with(tell));
    // Both at once, from both: what is admitted holds when it is applied.
    let (one, two) = tokio::join!(first.create("a"), second.create("b"));
    let refused = [one, two].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    assert_eq!(refused, [Error::conflict("one map is enough")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voter_that_stays_dead_is_replaced_and_comes_back_as_it_can() {
    let first = Listening::with_seeds(&[]).await;
    let seeds = [first.address()];
    let mut listening = vec![first];
    for _ in 0..3 {
        listening.push(Listening::with_seeds(&seeds).await);
    }
    let tell = |options: &mut Options| {
        options.expect = Some(4);
        options.dead_after = Duration::from_millis(400);
    };
    let entering: Vec<_> = listening.into_iter().map(|node| tokio::spawn(node.enter_with(tell))).collect();
    let mut nodes = Vec::new();
    for entering in entering {
        nodes.push(soon(entering).await.unwrap());
    }
    all_vote(&nodes, 3).await;
    let leader = leader(&mut nodes).await;
    let voters = leader.voting().await;
    let at = nodes.iter().position(|node| voters.contains(&node.id())).unwrap();
    let dead = nodes.remove(at);
    let spare = nodes.iter().find(|node| !voters.contains(&node.id())).unwrap();
    let (id, incarnation) = (dead.id(), dead.started().incarnation);
    dead.stop().await;
    // What the supervisor proposes of a silent node.
    leader.control.propose(Command::FailNode { node: id, incarnation }).await.unwrap();
    let replaced = async {
        loop {
            let voters = leader.voting().await;
            if voters.contains(&spare.id()) && !voters.contains(&id) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon(replaced).await;
    leader.voters(3).await;
    spare.create("a").await.unwrap();
}
