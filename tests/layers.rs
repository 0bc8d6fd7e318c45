//! The order of the folders of `src/`: each imports only what stands below it, and no two files of a folder import each other.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// From the top down.
const ORDER: [&str; 20] = [
    "bin",
    "wasm",
    "bench",
    "views",
    "pipeline",
    "stages",
    "network",
    "resources",
    "data",
    "formats",
    "container",
    "coding",
    "model",
    "kernels",
    "search",
    "parallel",
    "ranking",
    "circle",
    "error",
    "crc32",
];

/// A file, by the names of its modules: `src/model/graph.rs` is `["model", "graph"]`, `src/model/mod.rs` is `["model"]`.
type Module = Vec<String>;

struct Source {
    path: PathBuf,
    module: Module,
    /// What it imports, as whole paths that start with a folder of `src/`; tests and comments left out.
    imports: Vec<Module>,
    /// Names that it only passes on: `pub use graph::Graph` is `Graph` from `["model", "graph"]`.
    passed_on: BTreeMap<String, Module>,
}

/// All paths of a `use` tree: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn leaves(tree: &str) -> Vec<String> {
    let Some(open) = tree.find('{') else { return vec![tree.split(" as ").next().unwrap_or("").trim().to_owned()] };
    let (prefix, inner) = (&tree[..open], &tree[open + 1..tree.rfind('}').unwrap()]);
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, letter) in inner.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    let whole = |part: &str| leaves(part.trim()).into_iter().map(|leaf| format!("{}{leaf}", prefix.trim())).collect();
    parts.iter().filter(|part| !part.trim().is_empty()).flat_map(|part| -> Vec<String> { whole(part) }).collect()
}

/// The path from the crate's root that `path`, written in `module`, means; none if it is another crate's.
fn absolute(path: &str, module: &Module, modules: &BTreeSet<Module>) -> Option<Module> {
    let mut base = module.clone();
    let mut parts = path.split("::").map(str::to_owned).peekable();
    match parts.next()?.as_str() {
        "crate" | "nutshell" => base.clear(),
        "self" => {}
        "super" => {
            base.pop();
            while parts.next_if(|part| part == "super").is_some() {
                base.pop();
            }
        }
        first => {
            // A module below this one, as in `pub use graph::Graph`.
            base.push(first.to_owned());
            if !modules.contains(&base) {
                return None;
            }
        }
    }
    base.extend(parts);
    (!base.is_empty()).then_some(base)
}

/// The text before the tests, without comments.
fn code(text: &str) -> String {
    let tests = text.find("\n#[cfg(test)]").or_else(|| text.find("\n#[cfg(all(test"));
    let lines = text[..tests.unwrap_or(text.len())].lines();
    lines.filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut paths) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|ending| ending == "rs") => paths.push(path),
                false => {}
            }
        }
    }
    paths.sort();
    let module_of = |path: &Path| -> Module {
        let inside = path.strip_prefix(&root).unwrap().with_extension("");
        let mut names: Module = inside.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
        if names.last().is_some_and(|name| name == "mod") || names == ["lib"] {
            names.pop();
        }
        names
    };
    let modules: BTreeSet<Module> = paths.iter().map(|path| module_of(path)).collect();
    let read = |path: &PathBuf| {
        let module = module_of(path);
        let text = code(&fs::read_to_string(path).unwrap());
        let (mut imports, mut passed_on) = (Vec::new(), BTreeMap::new());
        for statement in text.split(';') {
            // What stands before a `use` is the rest of a block or an attribute.
            let Some(at) = statement.rfind("use ").filter(|&at| at == 0 || statement[..at].ends_with([' ', '\n']))
            else {
                continue;
            };
            let public =
                statement[..at].trim_end().rsplit('\n').next().is_some_and(|line| line.trim().starts_with("pub"));
            for leaf in leaves(&statement[at + 4..]) {
                let Some(target) = absolute(&leaf, &module, &modules) else { continue };
                match public {
                    true => drop(passed_on.insert(target.last().unwrap().clone(), target)),
                    false => imports.push(target),
                }
            }
        }
        // Paths in the code itself.
        for (at, _) in text.match_indices("crate::") {
            let path = text[at..].split(|letter: char| !letter.is_alphanumeric() && !"_:".contains(letter)).next();
            imports.extend(path.and_then(|path| absolute(path.trim_end_matches(':'), &module, &modules)));
        }
        Source { path: path.clone(), module, imports, passed_on }
    };
    paths.iter().map(read).collect()
}

#[test]
fn a_folder_imports_only_what_stands_below_it() {
    let place = |folder: &str| ORDER.iter().position(|known| *known == folder);
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| !source.module.is_empty()) {
        let own = &source.module[0];
        let Some(rank) = place(own) else { panic!("src/{own} has no place in the order of the folders") };
        for import in source.imports.iter().chain(source.passed_on.values()) {
            if place(&import[0]).is_some_and(|below| below < rank) {
                faults.push(format!("{} imports {}, which stands above it", source.path.display(), import.join("::")));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn no_two_files_import_each_other() {
    let sources = sources();
    let by_module: BTreeMap<&Module, &Source> = sources.iter().map(|source| (&source.module, source)).collect();
    // The file that defines what a path names, through names that are passed on.
    let resolve = |path: &Module| -> Option<&Module> {
        let mut path = path.clone();
        for _ in 0..8 {
            let file = (1..=path.len()).rev().find_map(|length| by_module.get_key_value(&path[..length].to_vec()))?;
            let (module, source) = (*file.0, *file.1);
            match path.get(module.len()).and_then(|name| source.passed_on.get(name)) {
                Some(target) => path = target.clone(),
                None => return Some(module),
            }
        }
        None
    };
    let edges: BTreeMap<&Module, BTreeSet<&Module>> = sources
        .iter()
        .map(|source| {
            let targets = source.imports.iter().filter_map(&resolve).filter(|target| **target != source.module);
            (&source.module, targets.collect())
        })
        .collect();
    let mut faults = Vec::new();
    for (from, targets) in &edges {
        for to in targets.iter().filter(|to| from < to && edges[**to].contains(from)) {
            faults.push(format!(
                "{} and {} import each other",
                by_module[from].path.display(),
                by_module[to].path.display()
            ));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
