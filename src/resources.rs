//! Cost models: memory, and execution time.
