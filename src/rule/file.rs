//! A rule file as a person writes it.
