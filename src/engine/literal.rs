//! Searches bytes for many literals at once.
