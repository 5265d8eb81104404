//! What a plugin may use, each limit with its reason, and what the operator may raise.

use std::time::Duration;

use sheave_model::limits::MAX_DEPTH;
use sheave_model::plugin::LimitRaises;

/// Memory summed over the memories of one instance: 64 MiB. A Rust or Go guest that renders 10,000 objects stays under
/// 40 MiB; guests of Python and JavaScript need a grant. It also bounds what a reply can be lifted from.
pub const MEMORY: u64 = 64 << 20;
/// What a grant can raise memory to: what 32-bit WebAssembly can address.
pub const MEMORY_MOST: u64 = 4 << 30;
/// Elements summed over an instance's tables. CPython's function table, the largest seen, has under 20,000.
pub const TABLE_ELEMENTS: usize = 100_000;
/// Core instances in a component: a Python component has 38.
pub const CORE_INSTANCES: u32 = 100;
/// Memories in a component: components seen have one or two (an adapter's).
pub const MEMORIES: u32 = 8;
/// Tables in a component: one for each core module at most, in those seen.
pub const TABLES: u32 = 40;
/// Component-model handles alive at once: a plugin with a folder open for each of its files is far below.
pub const HANDLES: usize = 10_000;
/// Bytes that the engine keeps for one component instance's own bookkeeping: 1 MiB, as the engine's default.
pub const INSTANCE_BYTES: usize = 1 << 20;
/// Stack of a guest: deep recursion over 128 levels of JSON fits many times over.
pub const STACK: usize = 512 << 10;

/// Fuel of a pure call: 10 G, about five times what the slowest language measured (JavaScript, 4.5 G with
/// StarlingMonkey) uses for 10,000 objects, and two to ten seconds of work at most, which the clock cuts first.
pub const FUEL: u64 = 10_000_000_000;
/// Time of a pure call: of the processor, since it never waits, and on a busy machine the clock on the wall would end
/// honest work. Python, the slowest to start, answers within 5 ms.
pub const PURE_CALL: Duration = Duration::from_secs(1);
/// Wall clock of a pure call, as a multiple of its time: nothing can wedge, however busy the machine is.
pub const PURE_CALL_PATIENCE: u32 = 30;
/// Wall clock of a provider's `read`, `apply` and `adopt`: a remote API's slow answer. What lasts longer is `pending`.
pub const PROVIDER_CALL: Duration = Duration::from_secs(30);
/// What a grant can raise a call's wall clock to: ten minutes. What lasts longer is `pending`.
pub const CALL_MOST: Duration = Duration::from_secs(600);
/// How often the clock looks at a running guest: cheap for the host, and short against [`PURE_CALL`].
pub const TICK: Duration = Duration::from_millis(10);

/// Bytes that one reply may take in the host, and one message to the host too: 8 MiB is over 1,000 objects of the
/// size that Kubernetes users write.
pub const REPLY: usize = 8 << 20;
/// What a grant can raise a reply to: 256 MiB is 10,000 objects of 25 KiB.
pub const REPLY_MOST: usize = 256 << 20;
/// Nesting of JSON in a reply: one below [`MAX_DEPTH`], the level at which JSON readers give up.
pub const JSON_DEPTH: usize = MAX_DEPTH - 1;
/// Objects that one `needs` may ask for: each costs the cluster a request.
pub const LOOKUPS: usize = 1_000;
/// Types that a plugin may describe: Kubernetes with every add-on has a few hundred kinds.
pub const TYPES: usize = 2_000;

/// Log lines of one call.
pub const LOG_LINES: u32 = 1_000;
/// Log bytes of one call, names and values of fields included.
pub const LOG_BYTES: usize = 1 << 20;
/// Bytes of one log line: longer ones are cut, since terminals and log stores cut them anyway.
pub const LOG_LINE_BYTES: usize = 16 << 10;

/// Bytes of a component: the largest seen, Python's, has 18.5 MB.
pub const COMPONENT_BYTES: usize = 64 << 20;
/// Wall clock of compiling one component: thirty times the 10 s that Python's takes of a processor, since on a machine that is busy
/// with other things the clock runs for those, too.
pub const COMPILE: Duration = Duration::from_secs(300);
/// Bytes of compiled code that the cache keeps; the entries unused for longest go first.
pub const CACHE_BYTES: u64 = 1 << 30;
/// Bytes of one cache entry that the host reads: compiled code is about six times its component.
pub const CACHE_ENTRY_BYTES: u64 = 512 << 20;

/// Bytes of a path in a granted folder: the longest that systems take.
pub const PATH_BYTES: usize = 4096;

/// Bytes of an HTTP request's body and of a reply's: 8 MiB, as of what plugins answer themselves. Whole files travel otherwise.
pub const HTTP_BODY: usize = 8 << 20;
/// Headers of a request or a reply: browsers and servers agree on about as many.
pub const HTTP_HEADERS: usize = 100;
/// Bytes of a reply's headers: eight times what servers take of a request by default.
pub const HTTP_HEADER_BYTES: usize = 64 << 10;
/// Bytes of what is asked for: what most servers take at the most.
pub const HTTP_URL: usize = 8 << 10;
/// Requests of one call: a list of 10,000 in pages of ten.
pub const HTTP_REQUESTS: usize = 1_000;
/// Requests of one call at once, each with a connection of its own: as many as browsers allow themselves to one server.
pub const HTTP_AT_ONCE: usize = 6;
/// Addresses of a name that are looked at: names with more have other trouble.
pub const HTTP_ADDRESSES: usize = 64;
/// Time for a name's addresses, and again for a connection and for TLS: a packet lost twice fits.
pub const HTTP_CONNECT: Duration = Duration::from_secs(10);
/// Time to a reply's first byte, where the call lasts that long: slow APIs answer within a minute, or should be polled.
pub const HTTP_FIRST_BYTE: Duration = Duration::from_secs(60);
/// Time between two parts of a reply: a server that drips is cut off.
pub const HTTP_BETWEEN_BYTES: Duration = Duration::from_secs(10);
/// What is left of a call's time when its requests end: enough to say which server was too slow.
pub const HTTP_GRACE: Duration = Duration::from_secs(1);

/// Random bytes that the stub of WASI gives in one call: seeds are 32 bytes.
pub const STUB_RANDOM_BYTES: u64 = 64 << 10;

/// The limits of one plugin's calls: the defaults, raised by its grants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) memory: u64,
    pub(crate) fuel: u64,
    pub(crate) pure_call: Duration,
    pub(crate) provider_call: Duration,
    pub(crate) reply: usize,
}

impl Limits {
    /// A grant raises; it never lowers, so that a small number in a blueprint cannot break a plugin that ran before.
    pub(crate) fn of(raises: &LimitRaises, fuel: u64, pure_call: Duration, provider_call: Duration) -> Self {
        let mib = |n: Option<u32>| u64::from(n.unwrap_or(0)) << 20;
        let call = Duration::from_millis(u64::from(raises.call_millis.unwrap_or(0)));
        let reply = usize::try_from(mib(raises.reply_mib)).unwrap_or(usize::MAX);
        Self {
            memory: mib(raises.memory_mib).clamp(MEMORY, MEMORY_MOST),
            fuel: (u64::from(raises.fuel_millions.unwrap_or(0)) * 1_000_000).max(fuel),
            pure_call: call.min(CALL_MOST).max(pure_call),
            provider_call: call.min(CALL_MOST).max(provider_call),
            reply: reply.clamp(REPLY, REPLY_MOST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(raises: &LimitRaises) -> Limits {
        Limits::of(raises, FUEL, PURE_CALL, PROVIDER_CALL)
    }

    #[test]
    fn grants_raise_and_never_lower() {
        let low = LimitRaises {
            memory_mib: Some(1),
            call_millis: Some(1),
            reply_mib: Some(1),
            fuel_millions: Some(1),
        };
        let limits = of(&low);
        assert_eq!((limits.memory, limits.fuel, limits.reply), (MEMORY, FUEL, REPLY));
        assert_eq!((limits.pure_call, limits.provider_call), (PURE_CALL, PROVIDER_CALL));
        let high = LimitRaises {
            memory_mib: Some(256),
            call_millis: Some(5_000),
            reply_mib: Some(u32::MAX),
            fuel_millions: Some(20_000),
        };
        let limits = of(&high);
        assert_eq!((limits.memory, limits.fuel, limits.reply), (256 << 20, 20_000_000_000, REPLY_MOST));
        assert_eq!((limits.pure_call, limits.provider_call), (Duration::from_secs(5), PROVIDER_CALL));
    }

    #[test]
    fn what_a_grant_raises_has_a_limit_of_its_own() {
        let raise = |n| LimitRaises { memory_mib: n, call_millis: n, reply_mib: n, fuel_millions: n };
        let limits = of(&raise(Some(u32::MAX)));
        assert_eq!((limits.memory, limits.reply), (MEMORY_MOST, REPLY_MOST));
        assert_eq!((limits.pure_call, limits.provider_call), (CALL_MOST, CALL_MOST));
        let just = |memory, call, reply| LimitRaises {
            memory_mib: Some(memory),
            call_millis: Some(call),
            reply_mib: Some(reply),
            ..LimitRaises::default()
        };
        let limits = of(&just(4095, 599_999, 255));
        assert_eq!((limits.memory, limits.reply), (4095 << 20, 255 << 20));
        assert_eq!(limits.pure_call, Duration::from_millis(599_999));
        let limits = of(&just(4097, 600_001, 257));
        assert_eq!((limits.memory, limits.reply), (MEMORY_MOST, REPLY_MOST));
        assert_eq!(limits.pure_call, CALL_MOST);
    }
}
