//! The macros that make a component of a crate.
//!
//! Natively, as in tests, they export nothing: the names of a component's exports are none that a linker accepts.

/// Exports types as a component of emitters: `emitter!(TypeA, TypeB)`, each an [`Emitter`](crate::Emitter), or
/// `emitter!(types = path)`, a function that gives `&'static [&'static dyn EmitterType]`.
#[macro_export]
macro_rules! emitter {
    (types = $types:path) => {
        const _: () = {
            #[derive(Debug)]
            pub struct Types;
            impl $crate::emitter::Emitters for Types {
                fn types() -> &'static [&'static dyn $crate::EmitterType] {
                    $types()
                }
            }
            #[cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "natively nothing is exported"))]
            type Component = $crate::emitter::Exported<Types>;
            #[cfg(target_family = "wasm")]
            $crate::bindings::base::export_base!(Component with_types_in $crate::bindings::base);
            #[cfg(target_family = "wasm")]
            $crate::bindings::emits::export_emits!(Component with_types_in $crate::bindings::emits);
        };
    };
    ($($type:ty),+ $(,)?) => {
        const _: () = {
            fn types() -> &'static [&'static dyn $crate::EmitterType] {
                &[$(&$crate::emitter::Typed::<$type>::NEW),+]
            }
            $crate::emitter!(types = types);
        };
    };
}

/// Exports types as a component of providers: `provider!(TypeA, TypeB)`, each a [`Provider`](crate::Provider).
/// With `adopting` before them, existing things can be taken over: see [`Provider::adopt`](crate::Provider::adopt).
#[macro_export]
macro_rules! provider {
    (adopting $($type:ty),+ $(,)?) => {
        const _: () = {
            $crate::provider!(@types $($type),+);
            #[cfg(target_family = "wasm")]
            $crate::bindings::adopts::export_adopts!(Component with_types_in $crate::bindings::adopts);
        };
    };
    (@types $($type:ty),+) => {
        #[derive(Debug)]
        pub struct Types;
        impl $crate::provider::Providers for Types {
            fn types() -> &'static [&'static dyn $crate::provider::ProviderType] {
                &[$(&$crate::provider::Typed::<$type>::NEW),+]
            }
        }
        #[cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "natively nothing is exported"))]
        type Component = $crate::provider::Exported<Types>;
        #[cfg(target_family = "wasm")]
        $crate::bindings::base::export_base!(Component with_types_in $crate::bindings::base);
        #[cfg(target_family = "wasm")]
        $crate::bindings::provides::export_provides!(Component with_types_in $crate::bindings::provides);
    };
    ($($type:ty),+ $(,)?) => {
        const _: () = {
            $crate::provider!(@types $($type),+);
        };
    };
}
