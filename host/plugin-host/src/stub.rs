//! WASI for plugins that were granted nothing: every answer is the same in every run, and nothing lies behind it.
//!
//! Guests of Go, Python or JavaScript import WASI whether they need it or not. The stub walks what a component imports
//! and answers by type: zero, empty, none, or the error that says *access denied*. Clocks count their own readings,
//! random numbers are one fixed stream, output is swallowed.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, LinkerInstance, Resource, ResourceType, Type, Val};
use wasmtime::{AsContextMut, StoreContextMut};

use crate::guest::Guest;
use crate::limits;

/// What an output stream says it can take at once.
const WRITABLE: u64 = 64 << 10;
/// 2000-01-01: a wall clock that stands still, at a date that certificates and calendars can stand.
pub(crate) const WALL_SECONDS: u64 = 946_684_800;

/// Every resource of the stub: all are alike, since none has anything behind it.
struct Nothing;

/// What the stub remembers within one instance.
#[derive(Debug, Default)]
pub(crate) struct State {
    clock: u64,
    random: u64,
}

impl State {
    /// Never 0: Go takes a clock at 0 for a broken one.
    fn tick(&mut self) -> u64 {
        self.clock += 1_000;
        self.clock
    }

    /// Splitmix64 from a fixed seed.
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Defines every import of `component` under `wasi:` that the linker does not know.
pub(crate) fn add(linker: &mut Linker<Guest>, component: &Component) -> wasmtime::Result<()> {
    let engine = component.engine().clone();
    for (name, import) in component.component_type().imports(&engine) {
        let ComponentItem::ComponentInstance(instance) = import.ty else { continue };
        let Some(interface) = name.strip_prefix("wasi:") else { continue };
        let interface = interface.split_once('@').map_or(interface, |(path, _)| path).to_owned();
        let mut to = linker.instance(name)?;
        for (item, export) in instance.exports(&engine) {
            match export.ty {
                ComponentItem::Resource(_) => {
                    to.resource(item, ResourceType::host::<Nothing>(), |_, _| Ok(()))?;
                }
                ComponentItem::ComponentFunc(_) => function(&mut to, &interface, item)?,
                _ => {}
            }
        }
    }
    Ok(())
}

fn function(to: &mut LinkerInstance<'_, Guest>, interface: &str, name: &str) -> wasmtime::Result<()> {
    match (interface, name) {
        ("clocks/monotonic-clock", "now") => to
            .func_wrap(name, |mut store: StoreContextMut<'_, Guest>, (): ()| {
                Ok((store.data_mut().stub.tick(),))
            }),
        ("random/random", "get-random-u64") | ("random/insecure", "get-insecure-random-u64") => to
            .func_wrap(name, |mut store: StoreContextMut<'_, Guest>, (): ()| {
                Ok((store.data_mut().stub.random(),))
            }),
        ("random/random", "get-random-bytes") | ("random/insecure", "get-insecure-random-bytes") => to
            .func_wrap(name, |mut store: StoreContextMut<'_, Guest>, (len,): (u64,)| {
                wasmtime::ensure!(
                    len <= limits::STUB_RANDOM_BYTES,
                    "{len} random bytes at once are too many"
                );
                let stub = &mut store.data_mut().stub;
                let bytes: Vec<u8> = (0..len).map(|_| stub.random().to_le_bytes()[0]).collect();
                Ok((bytes,))
            }),
        ("io/streams", "[method]output-stream.check-write") => {
            answer(to, name, |_, _, _| Ok(Val::Result(Ok(Some(Box::new(Val::U64(WRITABLE)))))))
        }
        ("io/poll", "poll") => answer(to, name, |_, params, _| {
            // Everything is ready at once: nothing of the stub ever makes anybody wait.
            let asked = match params.first() {
                Some(Val::List(all)) => all.len(),
                _ => 0,
            };
            Ok(Val::List((0..asked).filter_map(|i| u32::try_from(i).ok()).map(Val::U32).collect()))
        }),
        ("io/poll", "[method]pollable.ready") => answer(to, name, |_, _, _| Ok(Val::Bool(true))),
        ("clocks/wall-clock", "now") => answer(to, name, |_, _, _| {
            let field = |name: &str, value| (name.to_owned(), value);
            Ok(Val::Record(vec![field("seconds", Val::U64(WALL_SECONDS)), field("nanoseconds", Val::U32(0))]))
        }),
        ("http/outgoing-handler", "handle") => answer(to, name, |_, _, _| {
            let why = "denied: only `read`, `apply` and `adopt` speak HTTP, and with the grant `http` alone";
            let why = Val::Option(Some(Box::new(Val::String(why.to_owned()))));
            Ok(Val::Result(Err(Some(Box::new(Val::Variant(
                "internal-error".to_owned(),
                Some(Box::new(why)),
            ))))))
        }),
        ("cli/exit", _) => answer(to, name, |_, _, _| wasmtime::bail!("the plugin ended itself (`exit`)")),
        _ => {
            // Input ends at once, and files and network are denied; output and the rest succeed at doing nothing.
            let denied = interface.starts_with("filesystem/")
                || interface.starts_with("sockets/")
                || name.starts_with("[method]input-stream.");
            answer(to, name, move |store, _, ty| zero(store, ty, denied))
        }
    }
}

/// Defines a function that gives what `value` makes of its parameters and its result's type. Where the function has no
/// result, `value` is still asked, for the type `bool`.
fn answer(
    to: &mut LinkerInstance<'_, Guest>,
    name: &str,
    value: impl Fn(&mut StoreContextMut<'_, Guest>, &[Val], &Type) -> wasmtime::Result<Val>
    + Send
    + Sync
    + 'static,
) -> wasmtime::Result<()> {
    to.func_new(name, move |mut store, ty, params, results| {
        params.iter().try_for_each(|param| release(&mut store, param))?;
        let ty = ty.results().next();
        let value = value(&mut store, params, ty.as_ref().unwrap_or(&Type::Bool))?;
        if let Some(result) = results.first_mut() {
            *result = value;
        }
        Ok(())
    })
}

/// Gives back what the guest lent: the engine insists that nothing is kept.
fn release(store: &mut StoreContextMut<'_, Guest>, value: &Val) -> wasmtime::Result<()> {
    match value {
        Val::Resource(resource) => resource.try_into_resource::<Nothing>(store).map(|_| ()),
        Val::List(all) | Val::Tuple(all) => all.iter().try_for_each(|value| release(store, value)),
        Val::Record(fields) => fields.iter().try_for_each(|(_, value)| release(store, value)),
        Val::Variant(_, Some(value)) | Val::Option(Some(value)) => release(store, value),
        Val::Result(Ok(Some(value)) | Err(Some(value))) => release(store, value),
        _ => Ok(()),
    }
}

/// The least value of a type; of a result the error, where `denied`.
fn zero(store: &mut StoreContextMut<'_, Guest>, ty: &Type, denied: bool) -> wasmtime::Result<Val> {
    Ok(match ty {
        Type::Bool => Val::Bool(false),
        Type::S8 => Val::S8(0),
        Type::U8 => Val::U8(0),
        Type::S16 => Val::S16(0),
        Type::U16 => Val::U16(0),
        Type::S32 => Val::S32(0),
        Type::U32 => Val::U32(0),
        Type::S64 => Val::S64(0),
        Type::U64 => Val::U64(0),
        Type::Float32 => Val::Float32(0.0),
        Type::Float64 => Val::Float64(0.0),
        Type::Char => Val::Char('\0'),
        Type::String => Val::String(String::new()),
        Type::List(_) => Val::List(Vec::new()),
        Type::Option(_) => Val::Option(None),
        Type::Flags(_) => Val::Flags(Vec::new()),
        Type::Result(ty) if denied => Val::Result(Err(payload(store, ty.err(), denied)?)),
        Type::Result(ty) => Val::Result(Ok(payload(store, ty.ok(), denied)?)),
        Type::Enum(ty) => {
            // `access` and `access-denied` are what WASI's interfaces call it.
            let case = ty.names().find(|name| name.starts_with("access")).or_else(|| ty.names().next());
            Val::Enum(case.unwrap_or_default().to_owned())
        }
        Type::Variant(ty) => {
            // `closed` is how a stream ends.
            let case = ty.cases().find(|case| case.name == "closed").or_else(|| ty.cases().next());
            match case {
                Some(case) => Val::Variant(case.name.to_owned(), payload(store, case.ty, denied)?),
                None => wasmtime::bail!("a variant without cases"),
            }
        }
        Type::Record(ty) => {
            let fields =
                ty.fields().map(|field| Ok((field.name.to_owned(), zero(store, &field.ty, denied)?)));
            Val::Record(fields.collect::<wasmtime::Result<_>>()?)
        }
        Type::Tuple(ty) => {
            let all: wasmtime::Result<Vec<Val>> = ty.types().map(|ty| zero(store, &ty, denied)).collect();
            Val::Tuple(all?)
        }
        Type::Own(_) => {
            let nothing = Resource::<Nothing>::new_own(0);
            Val::Resource(nothing.try_into_resource_any(store.as_context_mut())?)
        }
        other => wasmtime::bail!("the stub of WASI has no answer of type {other:?}"),
    })
}

fn payload(
    store: &mut StoreContextMut<'_, Guest>,
    ty: Option<Type>,
    denied: bool,
) -> wasmtime::Result<Option<Box<Val>>> {
    ty.map(|ty| zero(store, &ty, denied).map(Box::new)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_instance_sees_the_same_clock_and_numbers() {
        let (mut a, mut b) = (State::default(), State::default());
        let seen: Vec<_> = (0..3).map(|_| (a.tick(), a.random())).collect();
        assert_eq!(seen, (0..3).map(|_| (b.tick(), b.random())).collect::<Vec<_>>());
        assert!(seen.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 != w[1].1));
        assert_ne!(seen[0].0, 0);
    }
}
