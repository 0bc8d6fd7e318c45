//! What is written in other formats: types, names, sizes.
