//! The memory that a call needs.

/// What most calls take of memory, in bytes. A reply of many objects takes more, and gets it.
const FIRST: usize = 512 << 10;

/// Asks the host for it at once. The allocator would ask for 64 KiB again and again, and each time the host has to ask its system.
pub(crate) fn reserve() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    if cfg!(target_family = "wasm") {
        // What is given back stays with the allocator.
        ONCE.call_once(|| drop(std::hint::black_box(Vec::<u8>::with_capacity(FIRST))));
    }
}
