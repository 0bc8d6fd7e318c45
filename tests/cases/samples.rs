//! Data sets as people have them.
