//! test
mod files { wit_bindgen::generate!({ path: "../../../wit/deps", world: "wasi:filesystem/imports@0.2.0", generate_all }); }
wit_bindgen::generate!({ path: "../../../wit/plugin.wit", world: "provider", generate_all });
use exports::sheave::plugin::{model::{self,*}, provide::{self,*}};
struct P;
impl model::Guest for P {
  fn describe() -> Vec<TypeInfo> { let d = files::wasi::filesystem::preopens::get_directories(); vec![TypeInfo{name: d[0].1.clone(), role: Role::Provides, schema_version:1, summary:String::new()}] }
  fn settings_schema() -> Option<String> { None }
  fn schema(_:String)->Result<String,model::Failure>{ Err(model::Failure::NotFound) }
  fn check(_:model::Instance,p:model::Doc)->Result<model::Doc,model::Failure>{Ok(p)}
  fn upgrade(_:model::Instance,_:u32,p:model::Doc)->Result<model::Doc,model::Failure>{Ok(p)}
}
impl provide::Guest for P {
  fn plan(_:Change)->Result<Planned,provide::Failure>{Err(provide::Failure::NotFound)}
  fn read(_:provide::Instance,_:Snapshot)->Result<Option<Snapshot>,provide::Failure>{
    let d = files::wasi::filesystem::preopens::get_directories();
    let s = d[0].0.stat();
    log_(&format!("{:?}", s));
    Err(provide::Failure::NotFound)}
  fn apply(_:Change,_:Planned,_:String,_:Option<Vec<u8>>)->Result<Step,provide::Failure>{Err(provide::Failure::NotFound)}
}
fn log_(m:&str){ sheave::plugin::log::log(sheave::plugin::log::Level::Info, m, &[]); }
export!(P);
