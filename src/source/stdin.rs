//! Standard input: one blob, under the name that the caller gives it.

use std::io::Read;

use bstr::BString;

use crate::blob::Blob;
use crate::coverage::{Skip, SkipReason};
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
    pub fn scan<S: BlobSink>(&self, sink: S) -> Result<(), Error> {
        self.scan_from(std::io::stdin().lock(), sink);
        Ok(())
    }

    /// What could be read before a failure is shown; what is beyond the limit is not, as with files.
    fn scan_from<S: BlobSink>(&self, input: impl Read, mut sink: S) {
        let limit = self.max_size.unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        let result = input.take(limit.saturating_add(1)).read_to_end(&mut bytes);
        if let Err(error) = result {
            sink.skip(Skip::with_detail(
                SkipReason::Unreadable,
                self.path.clone(),
                error,
            ));
        }
        if bytes.len() as u64 > limit {
            let detail = format!("more than {limit} bytes");
            sink.skip(Skip::with_detail(
                SkipReason::Size,
                self.path.clone(),
                detail,
            ));
            return;
        }
        let provenance = Provenance::Stdin {
            path: self.path.clone(),
        };
        // There is nothing left to break off.
        let _ = sink.blob(Blob {
            bytes: &bytes,
            provenance: &provenance,
        });
    }
}
