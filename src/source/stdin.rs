//! Standard input: one blob, or a stream of what is too long for one, under the name that the caller gives it.

use std::io::Read;

use bstr::BString;

use crate::provenance::Provenance;
use crate::source::{BlobSink, Error};

/// Standard input.
#[derive(Clone, Debug)]
pub struct Stdin {
    /// The name to show it under.
    pub path: BString,
    /// More bytes than this are not read.
    pub max_size: Option<u64>,
}

impl Default for Stdin {
    fn default() -> Self {
        Self {
            path: "<stdin>".into(),
            max_size: None,
        }
    }
}

impl Stdin {
    /// Reads standard input to its end and shows it.
    pub fn scan<S: BlobSink>(&self, sink: &mut S) -> Result<(), Error> {
        self.scan_from(std::io::stdin().lock(), sink);
        Ok(())
    }

    /// Shows the bytes read before a failure; like a file, input beyond the limit is not shown.
    fn scan_from<S: BlobSink>(&self, input: impl Read, sink: &mut S) {
        let limit = self.max_size.unwrap_or(u64::MAX);
        let provenance = Provenance::Stdin {
            path: self.path.clone(),
        };
        // There is nothing left to break off.
        let _ = sink.stream(&mut { input }, limit, &provenance);
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::blob::Blob;
    use crate::coverage::{Skip, SkipReason};
    use crate::source::Clean;

    #[derive(Clone, Default)]
    struct Record(Arc<Mutex<Seen>>);

    type Seen = (Vec<Vec<u8>>, Vec<SkipReason>);

    impl BlobSink for Record {
        fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
            let path = "name".into();
            assert_eq!(*blob.provenance, Provenance::Stdin { path });
            self.0.lock().expect("no panic").0.push(blob.bytes.to_vec());
            ControlFlow::Continue(())
        }

        fn skip(&mut self, skip: Skip) {
            self.0.lock().expect("no panic").1.push(skip.reason);
        }

        fn clean(&mut self, _clean: Clean) {}

        fn join(&mut self, _share: Self) {}
    }

    /// Gives two bytes, then fails.
    struct Broken(bool);

    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(std::io::Error::other("broken"));
            }
            buffer[..2].copy_from_slice(b"ab");
            Ok(2)
        }
    }

    fn scan(input: impl Read, max_size: Option<u64>) -> Seen {
        let record = Record::default();
        let path = "name".into();
        Stdin { path, max_size }.scan_from(input, &mut record.clone());
        std::mem::take(&mut *record.0.lock().expect("no panic"))
    }

    #[test]
    fn it_is_one_blob_or_a_skip() {
        let whole = vec![b"12345".to_vec()];
        assert_eq!(scan(&b"12345"[..], None), (whole.clone(), vec![]));
        assert_eq!(scan(&b"12345"[..], Some(5)), (whole, vec![]));
        assert_eq!(
            scan(&b"12345"[..], Some(4)),
            (vec![], vec![SkipReason::Size])
        );
        assert_eq!(scan(&b""[..], None), (vec![vec![]], vec![]));
        let seen = (vec![b"ab".to_vec()], vec![SkipReason::Unreadable]);
        assert_eq!(scan(Broken(false), None), seen);
    }
}
