//! What other nodes have uploaded here so far.

use std::collections::{BTreeMap, HashMap};

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;

use super::{
    DeployId,
    upload::{PART_BYTES, Part},
};
use crate::{
    net::Raw,
    types::{Digest, Error, NodeId, Result},
};

/// The most files of one upload.
const MAX_FILES: usize = 1_024;
/// The longest path of a file.
const MAX_PATH_BYTES: usize = 1_024;

/// One upload of each node at a time: its next one takes the place of whatever is left of the last.
#[derive(Debug, Default)]
pub(super) struct Uploads(Mutex<HashMap<NodeId, Upload>>);

#[derive(Debug)]
struct Upload {
    deploy: DeployId,
    files: BTreeMap<String, BytesMut>,
    bytes: usize,
    /// A model that was loaded, and that the catalogue may not know yet.
    held: Option<Digest>,
}

impl Upload {
    fn new(deploy: DeployId) -> Self {
        Upload { deploy, files: BTreeMap::new(), bytes: 0, held: None }
    }

    fn take(&mut self, part: Part, most_bytes: usize) -> Result<()> {
        let Part { path, at, bytes: Raw(bytes), .. } = part;
        if bytes.len() > PART_BYTES || path.len() > MAX_PATH_BYTES {
            return Err(Error::invalid("a part of the upload is too long"));
        }
        if self.bytes + bytes.len() > most_bytes {
            return Err(Error::invalid(format!("the model's files have more than {most_bytes} bytes"))
                .hint("the limit is `server.model_bytes` of that node"));
        }
        if self.files.len() == MAX_FILES && !self.files.contains_key(&path) {
            return Err(Error::invalid(format!("the model has more than {MAX_FILES} files")));
        }
        let file = self.files.entry(path).or_default();
        if file.len() as u64 != at {
            return Err(Error::conflict("a part of the upload is missing").hint("deploy again"));
        }
        self.bytes += bytes.len();
        file.extend_from_slice(&bytes);
        Ok(())
    }
}

impl Uploads {
    /// Takes the next part of a file. After a refusal nothing is left of the upload.
    pub(super) fn take(&self, deploy: DeployId, part: Part, most_bytes: usize) -> Result<()> {
        let mut uploads = self.0.lock();
        let taken = of(&mut uploads, deploy).take(part, most_bytes);
        if taken.is_err() {
            uploads.remove(&deploy.node);
        }
        taken
    }

    /// Hands over the files of an upload.
    pub(super) fn files(&self, deploy: DeployId) -> Result<BTreeMap<String, Bytes>> {
        let mut uploads = self.0.lock();
        let upload = uploads.get_mut(&deploy.node).filter(|upload| upload.deploy == deploy);
        let files = upload.map(|upload| std::mem::take(&mut upload.files)).unwrap_or_default();
        if files.is_empty() {
            return Err(Error::conflict("nothing of the model has been uploaded").hint("deploy again"));
        }
        Ok(files.into_iter().map(|(path, content)| (path, content.freeze())).collect())
    }

    /// Notes that a model was loaded for this deploy.
    pub(super) fn hold(&self, deploy: DeployId, digest: Digest) {
        of(&mut self.0.lock(), deploy).held = Some(digest);
    }

    /// Whether a deploy that is not over holds the model.
    pub(super) fn holds(&self, digest: &Digest) -> bool {
        self.0.lock().values().any(|upload| upload.held.as_ref() == Some(digest))
    }

    /// Forgets a deploy.
    pub(super) fn end(&self, deploy: DeployId) {
        let mut uploads = self.0.lock();
        if uploads.get(&deploy.node).is_some_and(|upload| upload.deploy == deploy) {
            uploads.remove(&deploy.node);
        }
    }
}

/// The upload of this deploy, which may begin with it.
fn of(uploads: &mut HashMap<NodeId, Upload>, deploy: DeployId) -> &mut Upload {
    let upload = uploads.entry(deploy.node).or_insert_with(|| Upload::new(deploy));
    if upload.deploy != deploy {
        *upload = Upload::new(deploy);
    }
    upload
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Class, Incarnation};

    fn deploy(number: u64) -> DeployId {
        DeployId { node: NodeId(1), incarnation: Incarnation(1), number }
    }

    fn part(path: &str, at: u64, bytes: &'static [u8]) -> Part {
        Part { number: 1, path: path.to_owned(), at, bytes: Raw(Bytes::from_static(bytes)) }
    }

    #[test]
    fn files_grow_part_by_part_and_are_handed_over_once() {
        let uploads = Uploads::default();
        uploads.take(deploy(1), part("a", 0, b"12"), 9).unwrap();
        uploads.take(deploy(1), part("a", 2, b"3"), 9).unwrap();
        uploads.take(deploy(1), part("b", 0, b""), 9).unwrap();
        let files = uploads.files(deploy(1)).unwrap();
        assert_eq!(
            files.into_iter().collect::<Vec<_>>(),
            [("a".to_owned(), Bytes::from_static(b"123")), ("b".to_owned(), Bytes::new()),]
        );
        assert_eq!(uploads.files(deploy(1)).unwrap_err().class, Class::Conflict);
    }

    #[test]
    fn a_refused_part_ends_the_upload() {
        let refused = |first: Part, second: Part| {
            let uploads = Uploads::default();
            uploads.take(deploy(1), first, 4).unwrap();
            let error = uploads.take(deploy(1), second, 4).unwrap_err();
            assert_eq!(uploads.files(deploy(1)).unwrap_err().class, Class::Conflict);
            error.message
        };
        assert_eq!(
            refused(part("a", 0, b"123"), part("b", 0, b"12")),
            "the model's files have more than 4 bytes"
        );
        assert_eq!(refused(part("a", 0, b"1"), part("a", 0, b"1")), "a part of the upload is missing");
        assert_eq!(refused(part("a", 0, b"1"), part("b", 1, b"1")), "a part of the upload is missing");
    }

    #[test]
    fn the_next_upload_of_a_node_takes_the_place_of_its_last() {
        let uploads = Uploads::default();
        uploads.take(deploy(1), part("a", 0, b"1"), 9).unwrap();
        uploads.hold(deploy(1), Digest([7; 32]));
        assert!(uploads.holds(&Digest([7; 32])));
        uploads.take(deploy(2), part("b", 0, b"1"), 9).unwrap();
        assert!(!uploads.holds(&Digest([7; 32])));
        uploads.end(deploy(1));
        assert_eq!(uploads.files(deploy(2)).unwrap().len(), 1);
    }
}
