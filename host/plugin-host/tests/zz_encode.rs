//! x

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, in what tests share as well"
)]
#[test]
fn encode() {
    for g in std::env::var("ENC").unwrap().split(',') {
        let m = std::fs::read(format!(
            "/work/main/target/h-plugin-guests/wasm32-unknown-unknown/release/{g}.wasm"
        ))
        .unwrap();
        let c =
            wit_component::ComponentEncoder::default().validate(true).module(&m).unwrap().encode().unwrap();
        std::fs::write(format!("/work/main/target/guests/{g}.part"), &c).unwrap();
        std::fs::rename(
            format!("/work/main/target/guests/{g}.part"),
            format!("/work/main/target/guests/{g}.wasm"),
        )
        .unwrap();
    }
}
