//! Documents say what the program says: the tables in docs/ between marks, and the schema in assets/, are made of its
//! own tables. `cargo xtask docs` writes them anew.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is how to fail")]

use std::path::Path;

use ptree_core::facts::FACTS;
use ptree_core::filter::{PREFIXES, SYNTAX};
use ptree_tui::action::COMMANDS;
use ptree_tui::column::COLUMNS;
use ptree_tui::keymap::spelled_out;
use ptree_tui::screen::theme::ThemeName;

/// Parts of the documents: what stands between `<!-- NAME -->` and `<!-- end of NAME -->`.
const TABLES: [Table; 6] = [
    ("docs/screen.md", "keys", keys),
    ("docs/columns.md", "columns", columns),
    ("docs/filters.md", "filter syntax", syntax),
    ("docs/filters.md", "filter fields", fields),
    ("docs/configuration.md", "themes", themes),
    ("docs/commands.md", "options", options),
];

/// In which document, its name, and what makes the table.
type Table = (&'static str, &'static str, fn() -> String);

/// Compares a file of the repository with what it should be; or writes it, where that is asked for.
fn check(path: &str, should_be: impl Fn(&str) -> String) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let is = std::fs::read_to_string(&file).unwrap();
    let should_be = should_be(&is);
    if std::env::var_os("PTREE_RENEW").is_some() {
        std::fs::write(&file, should_be).unwrap();
    } else if is != should_be {
        let differs = is.lines().zip(should_be.lines()).enumerate().find(|(_, (is, should_be))| is != should_be);
        let differs = differs.map(|(n, (is, should_be))| format!("line {}:\n  is {is}\n  not {should_be}", n + 1));
        panic!("{path} is not what the program says: run `cargo xtask docs`. {}", differs.unwrap_or_default());
    }
}

#[test]
fn the_tables_of_the_documents_are_those_of_the_program() {
    for (document, name, table) in TABLES {
        check(document, |text| {
            let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->\n"));
            let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
            let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end}"));
            format!("{before}{begin}{}{end}{after}", table())
        });
    }
}

#[test]
fn the_filters_that_the_documents_recommend_are_valid() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let pages = docs.read_dir().unwrap().map(|page| std::fs::read_to_string(page.unwrap().path()).unwrap());
    let text: String = pages.collect();
    for option in ["--filter '", "--alert '"] {
        let filters: Vec<_> = text.split(option).skip(1).filter_map(|rest| rest.split('\'').next()).collect();
        assert!(filters.len() >= 3, "{filters:?}");
        for filter in filters {
            assert!(ptree_core::Filter::parse(filter).is_ok(), "{filter}");
        }
    }
}

#[test]
fn the_schema_is_what_the_program_prints() {
    check("assets/config.schema.json", |_| ptree_tui::config::print::schema());
}

/// A table in Markdown.
fn table<const N: usize>(headings: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut out = format!("| {} |\n|{}\n", headings.join(" | "), "---|".repeat(N));
    for row in rows {
        out.push('|');
        for cell in row.map(|cell| cell.replace('|', "\\|")) {
            out += &if cell.is_empty() { " |".to_owned() } else { format!(" {cell} |") };
        }
        out.push('\n');
    }
    out
}

fn columns() -> String {
    table(
        ["Column", "Heading", "Tells"],
        COLUMNS.iter().map(|spec| [code(spec.name), spec.heading.to_owned(), spec.about.to_owned()]),
    )
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// Two actions a row, below the headings of the help.
fn keys() -> String {
    let mut rows = Vec::new();
    for section in COMMANDS.chunk_by(|a, b| a.section == b.section) {
        rows.push([format!("**{}**", section[0].section), String::new(), String::new(), String::new()]);
        let cells: Vec<_> = section
            .iter()
            .map(|spec| {
                let keys = spec.keys_in(spec.home()).iter().map(|keys| code(&spelled_out(keys)));
                [keys.collect::<Vec<_>>().join(" "), spec.description.to_owned()]
            })
            .collect();
        rows.extend(cells.chunks(2).map(|pair| match pair {
            [[a, b], [c, d]] => [a, b, c, d].map(Clone::clone),
            [[a, b], ..] => [a.clone(), b.clone(), String::new(), String::new()],
            [] => Default::default(),
        }));
    }
    table(["Keys", "What they do", "Keys", "What they do"], rows)
}

fn syntax() -> String {
    // What is an alternative stands behind two spaces.
    let typed = |text: &str| text.split("  ").map(|part| code(part.trim())).collect::<Vec<_>>().join(" ");
    let rows = SYNTAX.iter().map(|(text, meaning)| [typed(text), (*meaning).to_owned()]);
    let prefixes = PREFIXES.iter().map(|(_, meaning, example)| [code(example), (*meaning).to_owned()]);
    table(["Typed", "Meaning"], rows.chain(prefixes))
}

fn fields() -> String {
    table(["Field", "Meaning"], FACTS.iter().map(|fact| [code(fact.example), fact.about.to_owned()]))
}

fn themes() -> String {
    table(["Theme", "Meaning"], ThemeName::ALL.iter().map(|theme| [code(theme.name()), theme.about().to_owned()]))
}

/// Those of every command.
fn options() -> String {
    let command = ptree_tui::cli::command();
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let rows = shown.map(|arg| {
        let value = arg.get_value_names().unwrap_or_default().first().filter(|_| arg.get_action().takes_values());
        let short = arg.get_short().map_or_else(String::new, |short| format!("-{short}, "));
        let value = value.map_or("", |value| value.as_str());
        let spelled = format!("{short}--{} {value}", arg.get_long().unwrap());
        [code(spelled.trim_end()), arg.get_help().unwrap().to_string()]
    });
    table(["Option", "Meaning"], rows.collect::<Vec<_>>())
}
