//! When a patient opens a signed link, show what it is for and do what they choose.
