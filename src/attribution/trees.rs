//! The edges between trees: from tree to tree, and from tree to something sought.
//!
//! Of every tree only the *difference* of its edges to those of its base is kept, which is a few bytes per
//! tree, whatever its size.

use std::collections::HashMap;

use bstr::BString;
use gix::ObjectId;
use gix::objs::Kind;

use super::place::Options;
use super::reader::{Sought, TreeReader};
use super::records::Records;
use crate::coverage::Skip;
use crate::git::number::{NameNo, Number as _};
use crate::git::odb::Database;
use crate::git::odb::fault::Failure;
use crate::git::odb::walk_all;

/// Everything that was learnt from the trees.
#[derive(Default)]
pub(crate) struct Trees {
    /// Trees have numbers below this.
    pub(crate) count: usize,
    pub(crate) names: Vec<BString>,
    pub(crate) records: Vec<Records>,
    /// Trees that some tree names and that are not there.
    pub(crate) missing: Vec<ObjectId>,
    /// Trees that could not be read.
    pub(crate) skips: Vec<Skip>,
}

/// Reads every tree once.
pub(crate) fn read(scanned: &mut Database, sought: &[ObjectId], options: Options<'_>) -> Trees {
    let sought = Sought::new(sought);
    let stores = &scanned.stores;
    let mut readers: Vec<TreeReader<'_>> = (0..options.threads.max(1))
        .map(|_| TreeReader::new(stores, &sought, options.stop))
        .collect();
    let tables = &mut scanned.tables;
    walk_all(
        stores,
        tables,
        Kind::Tree,
        scanned.max_object_size,
        &mut readers,
    );
    let mut trees = Trees::default();
    let mut is_read = vec![false; stores.len()];
    let mut failures = Vec::new();
    let mut numbers: HashMap<BString, NameNo> = HashMap::new();
    for part in readers {
        let mut renumbered = vec![NameNo::default(); part.names.len()];
        for (name, old) in part.names {
            let next = NameNo::at(numbers.len());
            renumbered[old.index()] = *numbers.entry(name).or_insert(next);
        }
        let mut records = part.records;
        records.rename(&renumbered);
        for record in records.iter() {
            is_read[record.tree.index()] = true;
        }
        trees.records.push(records);
        trees.missing.extend(part.missing);
        trees.skips.extend(part.skips);
        failures.extend(part.failures);
    }
    // Another store may have a good copy.
    let is_lost = |id: &ObjectId| stores.find(id).is_none_or(|tree| !is_read[tree.index()]);
    let lost = failures.into_iter().filter(|failure| is_lost(&failure.id));
    trees.skips.extend(lost.map(Failure::into_skip));
    trees.names = vec![BString::default(); numbers.len()];
    for (name, number) in numbers {
        trees.names[number.index()] = name;
    }
    trees.missing.sort();
    trees.missing.dedup();
    trees.count = stores.len();
    trees
}
