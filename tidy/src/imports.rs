//! The imports between the modules of a crate. A file is a module, and a re-exported item belongs
//! to the module that defines it.

use std::collections::{BTreeMap, BTreeSet};

use crate::File;

/// A module's path in its crate; empty for the root.
pub type Module = Vec<String>;

/// The modules of a crate, and what each of them uses from the others, ignoring tests.
#[derive(Debug, Default)]
pub struct Imports {
    modules: BTreeSet<Module>,
    /// The re-exports of each module: names, and the paths that they come from.
    exports: BTreeMap<Module, BTreeMap<String, Module>>,
    used: BTreeMap<Module, Vec<Module>>,
}

impl Imports {
    /// Reads the modules of the crate in `folder` from `files`.
    #[must_use]
    pub fn of_crate(folder: &str, files: &[File]) -> Self {
        let mut imports = Self::default();
        let source = format!("{folder}/src/");
        let modules = files.iter().filter_map(|file| {
            let module = module(file.path.strip_prefix(&source)?)?;
            Some((module, without_tests(&file.text)))
        });
        let modules: Vec<(Module, String)> = modules.collect();
        imports.modules = modules.iter().map(|(module, _)| module.clone()).collect();
        for (module, text) in modules {
            let uses: Vec<(bool, Module)> = imports.uses(&text, &module);
            for (is_exported, path) in &uses {
                let Some(name) = path.last().filter(|_| *is_exported) else { continue };
                let exports = imports.exports.entry(module.clone()).or_default();
                exports.insert(name.clone(), path.clone());
            }
            let text = without_uses(&text);
            let used = uses.into_iter().filter(|(is_exported, path)| {
                !is_exported || path.last().is_some_and(|name| has_word(&text, name))
            });
            let paths = used.map(|(_, path)| path);
            let paths = paths.chain(imports.inline_paths(&text, &module)).collect();
            imports.used.insert(module, paths);
        }
        imports
    }

    /// The modules that each module uses.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let of_module = |(module, paths): (&Module, &Vec<Module>)| {
            let targets = paths.iter().filter_map(|path| self.definition(path, 0));
            (module.clone(), targets.filter(|target| target != module).collect())
        };
        self.used.iter().map(of_module).collect()
    }

    /// The module that defines what `path` names.
    fn definition(&self, path: &[String], depth: usize) -> Option<Module> {
        let lengths = (0..=path.len()).rev();
        let module =
            lengths.map(|length| path[..length].to_vec()).find(|m| self.modules.contains(m))?;
        let exported = path.get(module.len()).and_then(|name| self.exports.get(&module)?.get(name));
        match exported {
            // The depth is limited because re-exports may be circular.
            Some(origin) if depth < 8 => {
                let rest = &path[module.len() + 1..];
                self.definition(&[origin, rest].concat(), depth + 1)
            }
            _ => Some(module),
        }
    }

    /// The paths in the `use` items of `text`, and whether each is re-exported.
    fn uses(&self, text: &str, module: &[String]) -> Vec<(bool, Module)> {
        let mut found = Vec::new();
        for (start, _) in text.match_indices("use ") {
            let line_start = text[..start].rfind('\n').map_or(0, |end| end + 1);
            let before = text[line_start..start].trim();
            let is_exported = before.starts_with("pub");
            if !(before.is_empty() || is_exported) {
                continue;
            }
            let tree = text[start + 4..].split(';').next().unwrap_or_default();
            let tree: String = tree.split_whitespace().collect::<Vec<_>>().join(" ");
            let paths = expand(&tree).into_iter().filter_map(|path| self.absolute(&path, module));
            found.extend(paths.map(|path| (is_exported, path)));
        }
        found
    }

    /// The paths in the crate that `text`, without its `use` items, names.
    fn inline_paths(&self, text: &str, module: &[String]) -> Vec<Module> {
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let paths = text.split(|c| !is_name(c)).filter(|path| path.contains("::"));
        paths.filter_map(|path| self.absolute(path.trim_end_matches(':'), module)).collect()
    }

    /// `path`, named in `module`, from the root of the crate; `None` if it is outside the crate.
    fn absolute(&self, path: &str, module: &[String]) -> Option<Module> {
        let mut names = path.split("::").map(str::trim).filter(|name| !name.is_empty()).peekable();
        let mut absolute: Module = match *names.peek()? {
            "crate" => {
                names.next();
                Vec::new()
            }
            "self" => {
                names.next();
                module.to_vec()
            }
            "super" => module.to_vec(),
            child if self.modules.contains(&[module, &[child.to_owned()]].concat()) => {
                module.to_vec()
            }
            _ => return None,
        };
        while names.next_if_eq(&"super").is_some() {
            absolute.pop()?;
        }
        absolute.extend(names.filter(|&name| name != "self" && name != "*").map(str::to_owned));
        Some(absolute)
    }
}

/// The modules that each module uses.
pub type Graph = BTreeMap<Module, BTreeSet<Module>>;

/// All edges of `graph` that are part of a cycle.
#[must_use]
pub fn circular(graph: &Graph) -> Vec<(Module, Module)> {
    let edges = graph.iter().flat_map(|(from, used)| used.iter().map(move |to| (from, to)));
    let circular = edges.filter(|&(from, to)| reachable(graph, to).contains(from));
    circular.map(|(from, to)| (from.clone(), to.clone())).collect()
}

/// `start`, and all modules that it uses directly or indirectly.
fn reachable<'a>(graph: &'a Graph, start: &'a Module) -> BTreeSet<&'a Module> {
    let (mut found, mut next) = (BTreeSet::new(), vec![start]);
    while let Some(module) = next.pop() {
        if found.insert(module) {
            next.extend(graph.get(module).into_iter().flatten());
        }
    }
    found
}

/// The imports between the children of the module `parent`, each of which includes all modules
/// below it.
#[must_use]
pub fn folder(graph: &Graph, parent: &[String]) -> Graph {
    let child = |module: &Module| {
        module.starts_with(parent).then(|| module.get(..=parent.len()).map(<[String]>::to_vec))?
    };
    let mut children = Graph::new();
    for (from, used) in graph {
        let Some(from) = child(from) else { continue };
        let used = used.iter().filter_map(child).filter(|to| *to != from);
        children.entry(from.clone()).or_default().extend(used);
    }
    children
}

/// The module in the file at `path` below `src/`; `None` for tests, and for the programs in
/// `src/bin/`.
fn module(path: &str) -> Option<Module> {
    let stem = path.strip_suffix(".rs")?;
    let mut names: Vec<&str> = stem.split('/').collect();
    if names.contains(&"tests") || names[0] == "bin" {
        return None;
    }
    if matches!(names.last(), Some(&("mod" | "lib" | "main"))) {
        names.pop();
    }
    Some(names.into_iter().map(str::to_owned).collect())
}

/// `text` without comments, and without code that is compiled for tests only, which is at the end
/// or in a separate file.
fn without_tests(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut kept = String::new();
    let mut lines = lines.peekable();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" {
            if lines.next().is_some_and(|item| item.ends_with(';')) {
                continue;
            }
            break;
        }
        kept += line;
        kept.push('\n');
    }
    kept
}

/// `text` without the items that only declare modules or import from them, and without the paths of
/// visibilities.
fn without_uses(text: &str) -> String {
    let (mut kept, mut is_use) = (String::new(), false);
    for line in text.lines() {
        let before = line.split_once("use ").map(|(before, _)| before.trim());
        is_use |= before.is_some_and(|before| before.is_empty() || before.starts_with("pub"));
        let is_declaration = line.contains("mod ") && line.ends_with(';');
        if !(is_use || is_declaration) {
            kept += &line.replace("pub(in crate::", "pub(");
            kept.push('\n');
        }
        is_use &= !line.ends_with(';');
    }
    kept
}

/// Whether `text` has `name` as a word.
fn has_word(text: &str, name: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name)
}

/// Expands `a::{b, c::d}` to `a::b` and `a::c::d`, without `as` and the new name.
fn expand(tree: &str) -> Vec<String> {
    let Some((start, rest)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap_or_default().trim().to_owned()];
    };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for c in inner.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        match c {
            ',' if depth == 0 => parts.push(String::new()),
            _ => parts.last_mut().expect("it starts with one part").push(c),
        }
    }
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts.flat_map(|part| expand(&format!("{}{part}", start.trim()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.into() }
    }

    #[test]
    fn a_module_that_uses_its_parent_is_in_a_cycle() {
        let files = [
            file("a/src/lib.rs", "mod b;\npub use b::Thing;\n"),
            file(
                "a/src/b/mod.rs",
                "mod c;\npub use self::c::{\n    Part,\n};\nuse self::c::make;\n",
            ),
            file("a/src/b/c.rs", "use std::fmt;\nuse super::Whole;\n"),
        ];
        let graph = Imports::of_crate("a", &files).graph();
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Module>();
        let (b, c, d) = (names(&["b"]), names(&["b", "c"]), names(&["d"]));
        assert_eq!(circular(&graph), [(b.clone(), c.clone()), (c.clone(), b.clone())]);

        // A re-exported item belongs to the module that defines it, and tests don't count.
        let files = [
            file("a/src/lib.rs", "mod b;\nmod d;\npub use d::f;\n"),
            files[1].clone(),
            file("a/src/b/c.rs", "#[cfg(test)]\nmod tests {\n    use super::super::Whole;\n}\n"),
            file("a/src/d.rs", "pub fn f() -> crate::b::Part {}\n"),
        ];
        let graph = Imports::of_crate("a", &files).graph();
        assert_eq!(circular(&graph), []);
        assert_eq!(graph[&d], [c.clone()].into());

        // Two folders that use each other are also a cycle, whichever of their files do.
        let e = file("a/src/b/e.rs", "use crate::f;\n");
        let graph = Imports::of_crate("a", &[&files[..], &[e]].concat()).graph();
        assert_eq!(circular(&graph), []);
        assert_eq!(circular(&folder(&graph, &[])), [(b.clone(), d.clone()), (d, b)]);
    }

    #[test]
    fn a_module_uses_what_it_names_without_an_import() {
        let b = vec!["b".to_owned()];
        let files = [
            file("a/src/lib.rs", "mod b;\n\npub fn f() {\n    b::g();\n}\n"),
            file("a/src/b.rs", "use crate::f;\n\npub(in crate::c) fn g() {}\n"),
        ];
        let graph = Imports::of_crate("a", &files).graph();
        assert_eq!(circular(&graph), [(Module::new(), b.clone()), (b.clone(), Module::new())]);

        // A re-exported item may also be used.
        let root = file("a/src/lib.rs", "mod b;\npub use b::T;\n\npub fn f() -> T {}\n");
        let graph = Imports::of_crate("a", &[root, files[1].clone()]).graph();
        assert_eq!(graph[&Module::new()], [b.clone()].into());
    }
}
