//! Room for a guest's heap from its beginning.
//!
//! Allocators in guests ask for memory as they need it. Each time the host has to ask its own system for the pages, and once
//! more to take them back when the call is over; on a machine of several processors each of these stops all threads of the
//! host for some tens of microseconds, which is as long as a small call takes. A module that has the room from the beginning
//! asks nobody: its pages cost nothing until they are written to.
//!
//! Nobody but the module itself makes its memory grow: the adapter for WASI that is put beside it does not.
//!
//! The module behaves as before: it is told the size that it would have, and only what it takes beyond the room is asked of the host.

use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, Function, FunctionSection, GlobalSection, GlobalType, Instruction, MemorySection,
    Module, TypeSection, ValType,
};
use wasmparser::{
    CodeSectionReader, Encoding, FunctionSectionReader, GlobalSectionReader, MemorySectionReader, MemoryType,
    Operator, Parser, Payload, TypeRef, TypeSectionReader,
};

use crate::error::LoadError;

/// Pages of 64 KiB that a heap has from the beginning: what calls of plugins take, which are some hundred KiB, twice over.
const ROOM: u64 = 16;

/// The core module, with room for a heap. What has no memory of its own, never asks for more, or has one that is shared, of
/// 64 bits or as large as it may become, is given back as it is; so is a component.
///
/// # Errors
///
/// [`LoadError::Invalid`] where it is broken, with `plugin` as its name.
pub fn with_heap(plugin: &str, module: &[u8]) -> Result<Vec<u8>, LoadError> {
    let invalid = |detail: String| LoadError::Invalid { plugin: plugin.to_owned(), detail };
    let Some(mut giver) = Giver::of(module).map_err(|e| invalid(e.to_string()))? else {
        return Ok(module.to_vec());
    };
    let mut made = Module::new();
    giver
        .parse_core_module(&mut made, Parser::new(0), module)
        .map_err(|e: reencode::Error| invalid(e.to_string()))?;
    Ok(made.finish())
}

/// Rewrites a module. What it adds comes last in each section, so that nothing that was there moves.
struct Giver {
    room: i32,
    /// The index of the global that has the pages of the room that are left.
    left: u32,
    /// The indices of the functions that stand for `memory.grow` and `memory.size`, and of their types.
    grow: u32,
    size: u32,
    grow_type: u32,
    size_type: u32,
}

impl Giver {
    /// What has to be known before anything is written; nothing for a module that stays as it is.
    fn of(module: &[u8]) -> wasmparser::Result<Option<Self>> {
        let (mut types, mut functions, mut globals) = (0, 0, 0);
        let (mut memories, mut imported_memory, mut has_globals, mut grows) =
            (Vec::new(), false, false, false);
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::Version { encoding: Encoding::Component, .. } => return Ok(None),
                Payload::TypeSection(section) => {
                    for group in section {
                        types += u32::try_from(group?.types().len()).unwrap_or(u32::MAX);
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        match import?.ty {
                            TypeRef::Func(_) | TypeRef::FuncExact(_) => functions += 1,
                            TypeRef::Global(_) => globals += 1,
                            TypeRef::Memory(_) => imported_memory = true,
                            TypeRef::Table(_) | TypeRef::Tag(_) => {}
                        }
                    }
                }
                Payload::FunctionSection(section) => functions += section.count(),
                Payload::MemorySection(section) => {
                    memories = section.into_iter().collect::<wasmparser::Result<_>>()?;
                }
                Payload::GlobalSection(section) => {
                    globals += section.count();
                    has_globals = true;
                }
                Payload::CodeSectionEntry(body) => {
                    for op in body.get_operators_reader()? {
                        grows |= matches!(op?, Operator::MemoryGrow { .. });
                    }
                }
                _ => {}
            }
        }
        let [memory] = memories.as_slice() else { return Ok(None) };
        // A section that is not there could not be added to.
        if imported_memory || !has_globals || !grows {
            return Ok(None);
        }
        let Some(room) = room(memory) else { return Ok(None) };
        Ok(Some(Self {
            room,
            left: globals,
            grow: functions,
            size: functions + 1,
            grow_type: types,
            size_type: types + 1,
        }))
    }

    /// `(pages) -> old size`: from the room where it suffices, else all of it and the rest from the host.
    fn grow_body(&self) -> Function {
        const PAGES: u32 = 0;
        const WAS: u32 = 1;
        let left = self.left;
        let mut body = Function::new([(1, ValType::I32)]);
        let code = [
            Instruction::Call(self.size),
            Instruction::LocalSet(WAS),
            Instruction::LocalGet(PAGES),
            Instruction::GlobalGet(left),
            Instruction::I32LeU,
            Instruction::If(wasm_encoder::BlockType::Empty),
            Instruction::GlobalGet(left),
            Instruction::LocalGet(PAGES),
            Instruction::I32Sub,
            Instruction::GlobalSet(left),
            Instruction::LocalGet(WAS),
            Instruction::Return,
            Instruction::End,
            Instruction::LocalGet(PAGES),
            Instruction::GlobalGet(left),
            Instruction::I32Sub,
            Instruction::MemoryGrow(0),
            Instruction::I32Const(-1),
            Instruction::I32Eq,
            Instruction::If(wasm_encoder::BlockType::Empty),
            Instruction::I32Const(-1),
            Instruction::Return,
            Instruction::End,
            Instruction::I32Const(0),
            Instruction::GlobalSet(left),
            Instruction::LocalGet(WAS),
            Instruction::End,
        ];
        code.iter().for_each(|instruction| {
            body.instruction(instruction);
        });
        body
    }

    /// `() -> size`, without what is left of the room.
    fn size_body(&self) -> Function {
        let mut body = Function::new([]);
        body.instruction(&Instruction::MemorySize(0))
            .instruction(&Instruction::GlobalGet(self.left))
            .instruction(&Instruction::I32Sub)
            .instruction(&Instruction::End);
        body
    }
}

/// How many pages a memory can be given at its beginning.
fn room(memory: &MemoryType) -> Option<i32> {
    if memory.shared || memory.memory64 || memory.page_size_log2.is_some() {
        return None;
    }
    let most = memory.maximum.map_or(ROOM, |most| ROOM.min(most.saturating_sub(memory.initial)));
    i32::try_from(most).ok().filter(|room| *room > 0)
}

type Done = Result<(), reencode::Error>;

impl Reencode for Giver {
    type Error = std::convert::Infallible;

    fn parse_type_section(&mut self, types: &mut TypeSection, section: TypeSectionReader<'_>) -> Done {
        reencode::utils::parse_type_section(self, types, section)?;
        types.ty().function([ValType::I32], [ValType::I32]);
        types.ty().function([], [ValType::I32]);
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Done {
        reencode::utils::parse_function_section(self, functions, section)?;
        functions.function(self.grow_type).function(self.size_type);
        Ok(())
    }

    fn parse_memory_section(
        &mut self,
        memories: &mut MemorySection,
        section: MemorySectionReader<'_>,
    ) -> Done {
        for memory in section {
            let mut memory = self.memory_type(memory?)?;
            memory.minimum += u64::from(self.room.unsigned_abs());
            memories.memory(memory);
        }
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: GlobalSectionReader<'_>,
    ) -> Done {
        reencode::utils::parse_global_section(self, globals, section)?;
        let left = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(left, &ConstExpr::i32_const(self.room));
        Ok(())
    }

    fn parse_code_section(&mut self, code: &mut CodeSection, section: CodeSectionReader<'_>) -> Done {
        reencode::utils::parse_code_section(self, code, section)?;
        code.function(&self.grow_body()).function(&self.size_body());
        Ok(())
    }

    fn instruction<'a>(&mut self, op: Operator<'a>) -> Result<Instruction<'a>, reencode::Error> {
        match op {
            Operator::MemoryGrow { .. } => Ok(Instruction::Call(self.grow)),
            Operator::MemorySize { .. } => Ok(Instruction::Call(self.size)),
            other => reencode::utils::instruction(self, other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wasmtime::{Engine, Instance, Module, Store};

    use super::*;

    /// Grows, tells its size, and writes to and reads the last word that it may.
    const GUEST: &str = r#"
        (module
          (type (func))
          (memory (export "memory") 2 40)
          (global (mut i32) (i32.const 7))
          (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
          (func (export "size") (result i32) (memory.size))
          (func (export "mark") (result i32)
            (local i32)
            (local.set 0 (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)))
            (i32.store (local.get 0) (i32.add (i32.load (local.get 0)) (i32.const 1)))
            (i32.load (local.get 0)))
          (func (export "seven") (result i32) (global.get 0)))"#;

    struct Guest {
        store: Store<()>,
        instance: Instance,
    }

    impl Guest {
        fn new(module: &[u8]) -> Self {
            let engine = Engine::default();
            let module = Module::new(&engine, module).unwrap();
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            Self { store, instance }
        }

        fn ask(&mut self, what: &str) -> i32 {
            let function = self.instance.get_typed_func::<(), i32>(&mut self.store, what).unwrap();
            function.call(&mut self.store, ()).unwrap()
        }

        fn grow(&mut self, pages: i32) -> i32 {
            let function = self.instance.get_typed_func::<i32, i32>(&mut self.store, "grow").unwrap();
            function.call(&mut self.store, pages).unwrap()
        }

        /// In pages, as the host sees it.
        fn really(&mut self) -> u64 {
            self.instance.get_memory(&mut self.store, "memory").unwrap().size(&self.store)
        }
    }

    fn given(text: &str) -> (Vec<u8>, Vec<u8>) {
        let plain = wat::parse_str(text).unwrap();
        let roomy = with_heap("guest", &plain).unwrap();
        (plain, roomy)
    }

    #[test]
    fn what_fits_into_the_room_is_not_asked_of_the_host() {
        let mut guest = Guest::new(&given(GUEST).1);
        assert_eq!(guest.really(), 18);
        assert_eq!((guest.grow(10), guest.grow(6)), (2, 12));
        assert_eq!(guest.really(), 18);
        assert_eq!(guest.grow(3), 18);
        assert_eq!(guest.really(), 21);
    }

    #[test]
    fn modules_without_such_a_heap_stay_as_they_are() {
        for text in [
            "(module)",
            "(module (memory 1) (global (mut i32) (i32.const 0)) (func (drop (memory.size))))",
            "(module (memory 1) (func (drop (memory.grow (i32.const 1)))))",
            "(module (import \"a\" \"m\" (memory 1)) (global i32 (i32.const 0)) (func (drop (memory.grow (i32.const 1)))))",
            "(module (memory 3 3) (global i32 (i32.const 0)) (func (drop (memory.grow (i32.const 1)))))",
            "(module (memory 1 2 shared) (global i32 (i32.const 0)) (func (drop (memory.grow (i32.const 1)))))",
            "(module (memory i64 1) (global i32 (i32.const 0)) (func (drop (memory.grow (i64.const 1)))))",
        ] {
            let (plain, roomy) = given(text);
            assert_eq!(plain, roomy, "{text}");
        }
    }

    #[test]
    fn imports_and_names_keep_their_places() {
        let (_, roomy) = given(
            r#"(module
                 (import "host" "f" (func $f (param i64)))
                 (import "host" "g" (global $g i32))
                 (memory 1)
                 (global $own (mut i32) (i32.const 5))
                 (table 1 funcref)
                 (elem (i32.const 0) $late)
                 (func $late (export "late") (result i32)
                   (call $f (i64.const 1))
                   (drop (memory.grow (global.get $g)))
                   (global.get $own)))"#,
        );
        let text = sections(&roomy);
        assert!(text.contains("late"), "{text}");
        let engine = Engine::default();
        let module = Module::new(&engine, &roomy).unwrap();
        let mut store = Store::new(&engine, ());
        let f = wasmtime::Func::wrap(&mut store, |_: i64| {});
        let ty = wasmtime::GlobalType::new(wasmtime::ValType::I32, wasmtime::Mutability::Const);
        let g = wasmtime::Global::new(&mut store, ty, wasmtime::Val::I32(2)).unwrap();
        let instance = Instance::new(&mut store, &module, &[f.into(), g.into()]).unwrap();
        let late = instance.get_typed_func::<(), i32>(&mut store, "late").unwrap();
        assert_eq!(late.call(&mut store, ()).unwrap(), 5);
    }

    /// The names of functions, from the name section.
    fn sections(module: &[u8]) -> String {
        let mut names = String::new();
        for payload in Parser::new(0).parse_all(module) {
            if let Payload::CustomSection(section) = payload.unwrap() {
                names += &String::from_utf8_lossy(section.data());
            }
        }
        names
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert_eq!(with_heap("guest", b"text").unwrap_err().code(), "plugin.invalid");
        let component = wat::parse_str("(component)").unwrap();
        assert!(with_heap("guest", &component).is_ok_and(|same| same == component));
    }

    proptest! {
        /// Whatever a guest asks, it is told what it would have been told without.
        #[test]
        fn a_guest_cannot_tell(steps in prop::collection::vec(prop_oneof![
            4 => 0..8i32, 1 => 8..40i32, 1 => Just(-1), 1 => Just(i32::MIN), 1 => Just(i32::MAX)
        ], 0..20)) {
            let (plain, roomy) = given(GUEST);
            let (mut plain, mut roomy) = (Guest::new(&plain), Guest::new(&roomy));
            for pages in steps {
                prop_assert_eq!(plain.grow(pages), roomy.grow(pages));
                for what in ["size", "mark", "seven"] {
                    prop_assert_eq!(plain.ask(what), roomy.ask(what));
                }
            }
        }
    }
}
