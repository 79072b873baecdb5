//! Scans that several commands make: of the disk, of a commit about to be made, of all objects, of what commits add; and
//! what they say about each.

pub(crate) mod advice;
pub(crate) mod commit;
pub(crate) mod deadline;
pub(crate) mod disk;
pub(crate) mod framework;
pub(crate) mod objects;
pub(crate) mod range;
pub(crate) mod repository;
pub(crate) mod selection;
