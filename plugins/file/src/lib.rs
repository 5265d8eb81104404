//! `File`: a text file in the folder that the operator granted.
//!
//! The granted folder is the plugin's only authority: it arrives as WASI's preopen, and no path leads out of it.
//! A creation is one rename of a finished file, so nobody ever reads half of one.
//!
//! WASI 0.2 knows no permissions: those of a file go through the host's interface `files`. An unfinished file is its
//! owner's alone, so nobody ever reads what the finished one would not let them.

mod disk;
mod file;
mod mode;
mod path;

sheave_sdk::provider!(adopting file::File);
