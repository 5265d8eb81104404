//! The interface of `wit/plugin.wit` as Rust: one small world for each ability, so that a component
//! exports what it has and no more. The linker's tool merges the worlds that a component uses.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = "generated from the interface, which is documented there"
)]

/// What every plugin has.
pub mod base {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package sheave:sdk-base;
            world base { import sheave:plugin/types@0.1.0; import sheave:plugin/log@0.1.0; export sheave:plugin/model@0.1.0; }
        ",
        world: "sheave:sdk-base/base",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_base",
        default_bindings_module: "sheave_sdk::bindings::base",
        runtime_path: "::sheave_sdk::rt",
    });
}

/// What an emitter adds.
pub mod emits {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package sheave:sdk-emits;
            world emits { export sheave:plugin/emit@0.1.0; }
        ",
        world: "sheave:sdk-emits/emits",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_emits",
        default_bindings_module: "sheave_sdk::bindings::emits",
        runtime_path: "::sheave_sdk::rt",
        with: { "sheave:plugin/types@0.1.0": crate::bindings::base::sheave::plugin::types },
    });
}

/// What a provider adds.
pub mod provides {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package sheave:sdk-provides;
            world provides { import sheave:plugin/reveal@0.1.0; import sheave:plugin/files@0.1.0; import sheave:plugin/attempt@0.1.0; export sheave:plugin/provide@0.1.0; }
        ",
        world: "sheave:sdk-provides/provides",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_provides",
        default_bindings_module: "sheave_sdk::bindings::provides",
        runtime_path: "::sheave_sdk::rt",
        with: { "sheave:plugin/types@0.1.0": crate::bindings::base::sheave::plugin::types },
    });
}

/// What a provider that speaks HTTP asks of the host.
pub mod asks {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "wasi:http/imports@0.2.0",
        generate_all,
        runtime_path: "::sheave_sdk::rt",
    });
}

/// What a provider that takes over existing things adds.
pub mod adopts {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package sheave:sdk-adopts;
            world adopts { export sheave:plugin/adopt@0.1.0; }
        ",
        world: "sheave:sdk-adopts/adopts",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_adopts",
        default_bindings_module: "sheave_sdk::bindings::adopts",
        runtime_path: "::sheave_sdk::rt",
        with: { "sheave:plugin/types@0.1.0": crate::bindings::base::sheave::plugin::types },
    });
}

pub(crate) mod exports {
    pub(crate) use super::base::exports::sheave::plugin::model::{Guest as Model, Role, TypeInfo};
}
