//! Writes the TypeScript types of what crosses the door, `types.d.ts`, from the Rust types.
#![cfg(test)]

use crate::bench::{Rate, RunTime};
use crate::data::together::Choice;
use crate::formats::export::WRITERS;
use crate::pipeline::{Event, Recipe, RecipeSetting, Report, StageWords};
use crate::views;
use std::any::TypeId;
use std::collections::BTreeMap;
use std::path::Path;
use ts_rs::{Config, TS, TypeVisitor};

/// What holds bytes beside plain objects has no Rust type of its own.
const BYTES: &str = "
/** A run after a finished stage. Keep it, clone it, and give it back as it is. */
export type Checkpoint = { header: object, numbers: Uint8Array<ArrayBuffer>, };

/** The `.nut` file, and the report on it. */
export type Compressed = { nut: Uint8Array<ArrayBuffer>, report: Report, };
";

/// Declarations by name, each once.
struct Declarations {
    config: Config,
    seen: Vec<TypeId>,
    by_name: BTreeMap<String, String>,
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if self.seen.contains(&TypeId::of::<T>()) {
            return;
        }
        self.seen.push(TypeId::of::<T>());
        T::visit_dependencies(self);
        T::visit_generics(self);
        if T::output_path().is_some() {
            let docs = T::docs().unwrap_or_default();
            self.by_name.insert(T::ident(&self.config), format!("{docs}export {}\n", T::decl(&self.config)));
        }
    }
}

fn types() -> String {
    let config = Config::default().with_large_int("number");
    let mut all = Declarations { config, seen: Vec::new(), by_name: BTreeMap::new() };
    all.visit::<Recipe>();
    all.visit::<RecipeSetting>();
    all.visit::<StageWords>();
    all.visit::<Event>();
    all.visit::<Report>();
    all.visit::<Rate>();
    all.visit::<RunTime>();
    all.visit::<Choice>();
    all.visit::<views::summary::Summary>();
    all.visit::<views::samples::DatasetSummary>();
    all.visit::<views::samples::SamplesReading>();
    all.visit::<views::weights::Moments>();
    all.visit::<views::pruning::PrunedLayer>();
    all.visit::<views::sharing::Curve>();
    all.visit::<views::rounding::Grid>();
    all.visit::<views::rounding::LayerFormat>();
    all.visit::<views::coded::LayerCode>();
    all.visit::<views::answers::Comparison>();
    let kinds: Vec<String> = WRITERS.iter().map(|writer| format!("'{}'", writer.name)).collect();
    let kinds =
        format!("/** What a model file can be written as. */\nexport type ExportKind = {};\n", kinds.join(" | "));
    let declarations: Vec<String> = all.by_name.into_values().collect();
    format!("{}\n{kinds}{BYTES}", declarations.join("\n"))
}

#[test]
fn the_types_of_javascript_are_those_of_rust() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wasm/types.d.ts");
    if std::env::var_os("NUTSHELL_WRITE").is_some() {
        std::fs::write(&path, types()).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == types(), "write src/wasm/types.d.ts again: NUTSHELL_WRITE=1 cargo test --lib types_of_javascript");
}
