//! The engine's view of `wit/plugin.wit`, generated. Nothing outside this crate sees these types.

wasmtime::component::bindgen!({
    path: "../../wit/plugin.wit",
    inline: "
        package sheave:host;
        /// Everything that a plugin can export; what one lacks is found out when it is loaded.
        world any {
            import sheave:plugin/log@0.1.0;
            import sheave:plugin/reveal@0.1.0;
            import sheave:plugin/files@0.1.0;
            import sheave:plugin/attempt@0.1.0;
            export sheave:plugin/model@0.1.0;
            export sheave:plugin/emit@0.1.0;
            export sheave:plugin/provide@0.1.0;
            export sheave:plugin/adopt@0.1.0;
        }
    ",
    imports: {
        "sheave:plugin/files": async | trappable,
        "sheave:plugin/reveal": async | trappable,
        default: trappable,
    },
    exports: { default: async },
});
