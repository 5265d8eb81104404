//! Checks when a plugin is loaded that its functions have the interface's types: names alone say nothing.

use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{Component, ComponentNamedList, InstancePre, Lift, Lower, TypedFunc};

use crate::bindings::exports::sheave::plugin::{adopt, emit, model, provide};
use crate::component::Shape;
use crate::error::LoadError;
use crate::guest::Guest;
use crate::plugin::detail;

/// Every function of every interface that the component exports and the host calls.
pub(crate) fn exports(
    plugin: &str,
    pre: &InstancePre<Guest>,
    component: &Component,
    shape: &Shape,
) -> Result<(), LoadError> {
    let check = |interface: &str| Interface::find(plugin, interface, pre, component);
    let model = check("model")?;
    model.fits("describe", model::Guest::func_describe)?;
    model.fits("settings-schema", model::Guest::func_settings_schema)?;
    model.fits("schema", model::Guest::func_schema)?;
    model.fits("check", model::Guest::func_check)?;
    model.fits("upgrade", model::Guest::func_upgrade)?;
    if shape.exports("emit") {
        let emit = check("emit")?;
        emit.fits("needs", emit::Guest::func_needs)?;
        emit.fits("render", emit::Guest::func_render)?;
        emit.fits("observe", emit::Guest::func_observe)?;
    }
    if shape.exports("provide") {
        let provide = check("provide")?;
        provide.fits("plan", provide::Guest::func_plan)?;
        provide.fits("read", provide::Guest::func_read)?;
        provide.fits("apply", provide::Guest::func_apply)?;
    }
    if shape.exports("adopt") {
        check("adopt")?.fits("adopt", adopt::Guest::func_adopt)?;
    }
    Ok(())
}

struct Interface<'a> {
    plugin: &'a str,
    name: String,
    pre: &'a InstancePre<Guest>,
    component: &'a Component,
    instance: ComponentInstance,
}

impl<'a> Interface<'a> {
    fn find(
        plugin: &'a str,
        interface: &str,
        pre: &'a InstancePre<Guest>,
        component: &'a Component,
    ) -> Result<Self, LoadError> {
        let name = crate::component::ours(interface);
        let missing = || LoadError::MissingExport { plugin: plugin.to_owned(), missing: name.clone() };
        // By index, so that a later version of the same series is found, too.
        let (item, _) = component.get_export(None, &name).ok_or_else(missing)?;
        let ComponentItem::ComponentInstance(instance) = item else { return Err(missing()) };
        Ok(Self { plugin, name, pre, component, instance })
    }

    /// `typed` is the generated way to call the function: its parameters and result are what is expected.
    fn fits<G: 'static, P, R>(
        &self,
        function: &str,
        _typed: fn(&'static G) -> TypedFunc<P, R>,
    ) -> Result<(), LoadError>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        let engine = self.component.engine();
        let name = format!("{}#{function}", self.name);
        match self.instance.get_export(engine, function).map(|export| export.ty) {
            Some(ComponentItem::ComponentFunc(func)) => {
                func.typecheck::<P, R>(&self.pre.instance_type()).map_err(|e| LoadError::InterfaceMismatch {
                    plugin: self.plugin.to_owned(),
                    detail: format!("{name}: {}", detail(&e)),
                })
            }
            _ => Err(LoadError::MissingExport { plugin: self.plugin.to_owned(), missing: name }),
        }
    }
}
