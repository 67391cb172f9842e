//! How many a second: counts over a sliding window, in constant memory.
