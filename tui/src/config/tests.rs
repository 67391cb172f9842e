//! Tests of the configuration as a whole.

use std::path::PathBuf;
use std::time::Duration;

use super::file::parse;
use super::print::default_file;
use super::*;
use crate::action::{Command, Mode};
use crate::column::Column;

fn wrong(text: &str) -> String {
    parse(text, "file").unwrap_err().to_string()
}

#[test]
fn the_printed_default_parses_to_the_default() {
    let default = default_file();
    let parsed = parse(&default, "default").unwrap();
    // Keys that are given come after those that are not.
    let keys = |config: &Config| {
        let all =
            Mode::ALL.into_iter().flat_map(|mode| crate::action::COMMANDS.iter().map(move |spec| (mode, spec.command)));
        all.map(|(mode, command)| config.bindings.keys(mode, command).map(str::to_owned).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(&parsed), keys(&Config::default()));
    assert_eq!(Config { bindings: Bindings::default(), ..parsed }, Config::default());
}

#[test]
fn a_file_that_is_too_long_is_refused_and_not_cut() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for (len, is_read) in [(LONGEST, true), (LONGEST + 1, false)] {
        std::fs::write(file.path(), "#".repeat(len)).unwrap();
        match Config::read(file.path()) {
            Ok(config) => assert!(is_read && config == Config::default()),
            Err(error) => {
                let (error, path) = (error.to_string(), format!("'{}'", text::path(file.path())));
                assert!(!is_read && error.contains("longer than 1 MiB") && error.contains(&path), "{error}");
            }
        }
    }
}

#[test]
fn what_is_commented_out_in_the_default_is_valid_too() {
    let examples: String = default_file()
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| rest.contains(" = \"")).unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    let config = parse(&examples, "default").unwrap();
    assert_eq!(config.names.iter().collect::<Vec<_>>(), ["builds", "failing"]);
    assert_eq!(config.styles.len(), crate::screen::theme::ROLES.len());
}

#[test]
fn a_file_changes_what_it_says_and_nothing_else() {
    let text = r##"
        [general]
        keep = "2m 30s"
        theme = "light"
        mouse = false
        frame-interval = "1s"
        filter = "@bad"
        [alert]
        rate = 50
        [filters]
        bad = "state=failed and not @noise"
        noise = "comm=grep"
        [alerts]
        "root shell" = "uid=0 and comm~sh$ and not @noise"
        [colours]
        bad = "bold #ff0000"
        [keys.tree]
        first = ["<"]
        scroll-left = []
        [keys.details]
        first = ["z x"]
    "##;
    let config = parse(text, "file").unwrap();
    let [alert] = &config.engine.matches[..] else { panic!("{:?}", config.engine.matches) };
    assert_eq!((&*alert.name, alert.filter.text()), ("root shell", "uid=0 and comm~sh$ and not @noise"));
    assert_eq!((config.engine.keep_ns, config.theme, config.mouse), (150_000_000_000, ThemeName::Light, false));
    assert_eq!((config.frame, config.engine.alert.spawns_per_s), (Duration::from_secs(1), 50.0));
    assert_eq!((config.filter.as_str(), config.names.get("noise")), ("@bad", Some("comm=grep")));
    assert_eq!(config.styles, [("bad", Style::new().fg(ratatui::style::Color::Rgb(255, 0, 0)).bold())]);
    let first = |mode| config.bindings.keys(mode, Command::First).collect::<Vec<_>>();
    assert_eq!(
        [first(Mode::Tree), first(Mode::Details), first(Mode::Help)],
        [vec!["<"], vec!["z x"], vec!["g g", "Home"]]
    );
    assert_eq!(config.bindings.first(Mode::Tree, Command::ScrollLeft), None);
    assert_eq!(config.ring_buffer, Config::default().ring_buffer);
}

#[test]
fn everything_that_is_wrong_is_told_by_line_with_what_would_be_right() {
    for (text, told) in [
        ("[general]\nkep = \"1s\"", "file:2: there is no setting in [general] called 'kep'; did you mean 'keep'?"),
        (
            "[general]\nkeep_max = 5",
            "file:2: there is no setting in [general] called 'keep_max'; did you mean 'keep-max'?",
        ),
        ("[genral]", "file:1: there is no section 'genral'; did you mean 'general'?"),
        ("\nkeep = \"1s\"", "file:2: 'keep' belongs below [general]"),
        ("general = 5", "file:1: 'general' is a section, not '5': write [general]"),
        ("[general]\n\nkeep = \"soon\"", "file:3: 'soon' for 'keep': write it like '90', '90s' or '2m 30s'"),
        ("[general]\nkeep = 5", "file:2: '5' for 'keep': give a text in quotes"),
        ("[general]\nkeep-max = -5", "file:2: '-5' for 'keep-max': give a whole number, 0 or more"),
        ("[general]\nmouse = \"no\"", "file:2: 'no' for 'mouse': give true or false"),
        ("[general]\nmouse = [1]", "file:2: an array for 'mouse': give true or false"),
        ("[general]\ntheme = \"drak\"", "file:2: 'drak' for 'theme': did you mean 'dark'?"),
        ("[general]\nsymbols = \"latin\"", "file:2: 'latin' for 'symbols': there are auto, unicode, ascii"),
        ("[general]\nframe-interval = \"1us\"", "file:2: '1us' for 'frame-interval': give '10ms' to '10s'"),
        ("[general]\nring-buffer = \"9MiB\"", "try '16MiB'"),
        ("[alert]\nrate = -1", "file:2: '-1' for 'rate': give forks per second, such as '200', or '0' for no alert"),
        ("[alert]\nclear-ratio = 1.5", "file:2: '1.5' for 'clear-ratio': give a number from 0 to 1"),
        (
            "[general]\nfilter = \"coom=x\"",
            "file:2: 'coom=x' is no filter: there is no field 'coom'; did you mean 'comm'? at 'coom'",
        ),
        ("[filters]\na = \"x @a\"", "file:2: 'x @a' is no filter: in '@a': '@a' stands for itself at '@a'"),
        ("[filters]\na-b = \"x\"", "file:2: 'a-b': a name is of letters, digits and '_'"),
        ("[filters]\nab = 5", "file:2: '5' for 'ab': give a filter in quotes"),
        ("[alerts]\nab = ' '", "file:2: ' ' for 'ab': give a filter in quotes"),
        ("[alerts]\n'' = 'sh'", "file:2: an alert needs a name"),
        (
            "[alerts]\nab = 'cod=1'",
            "file:2: 'cod=1' is no filter: there is no field 'cod'; did you mean 'code'? at 'cod'",
        ),
        ("[colours]\nbda = \"red\"", "file:2: there is no style in [colours] called 'bda'; did you mean 'bad'?"),
        ("[colours]\nbad = \"redd\"", "file:2: 'redd' for 'bad': 'redd' is neither a colour"),
        ("[keys.tre]", "file:1: there is no part of [keys] called 'tre'; did you mean 'tree'?"),
        ("[keys.tree]\nupp = [\"w\"]", "file:2: there is no action in [keys.tree] called 'upp'; did you mean 'up'?"),
        ("[keys.tree]\nup = \"w\"", "file:2: 'w' for 'up': give a list, such as [\"g g\", \"Home\"]"),
        ("[keys.tree]\nup = [\"ww\"]", "file:2: 'ww' is no key: write it like 'j'"),
        ("[keys.tree]\nup = [5]", "file:2: '5' is no key: write it in quotes"),
        ("[keys.tree]\nquit = []", "file:2: 'quit' needs a key, or nobody could leave"),
        (
            "[keys.tree]\ndown = [\"j\"]\nup = [\"q\"]",
            "file:3: 'q' is bound to 'quit' and to 'up' in [keys.tree]: give one of them other keys",
        ),
        (
            "[keys.tree]\nup = [\"W\", \"W\"]",
            "file:2: 'W' is given twice to 'up' in [keys.tree]: give one of them other keys",
        ),
        ("[general]\nmouse = ", "file:2: "),
        ("[general]\nmouse = true\nmouse = true", "file:3: duplicate key: 'mouse'"),
        ("[general]\nmouse = tru", "file:2: invalid boolean, expected `true`: 'tru'"),
    ] {
        let error = wrong(text);
        assert!(error.contains(told), "{text:?}: {error}\nwanted: {told}");
        assert!(error.starts_with("file:") && !error.contains('\n'), "{error}");
    }
    let many = wrong("[keys.tree]\nupp = []\n[general]\nkep = 1\n[alert]\nrate = true");
    assert_eq!(many.lines().map(|line| &line[..7]).collect::<Vec<_>>(), ["file:2:", "file:4:", "file:6:"]);
}

#[test]
fn files_are_looked_for_where_they_should_be() {
    let found = |home: Option<Option<&str>>, set: &[(&str, &str)]| {
        let variable = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        places(home.map(|home| home.map(PathBuf::from)), variable)
    };
    let etc = PathBuf::from("/etc/ptree-tui/config.toml");
    assert_eq!(found(None, &[]), std::slice::from_ref(&etc));
    assert_eq!(found(None, &[("HOME", "/h")]), [PathBuf::from("/h/.config/ptree-tui/config.toml"), etc.clone()]);
    let both = [("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")];
    assert_eq!(found(None, &both), [PathBuf::from("/x/ptree-tui/config.toml"), etc.clone()]);
    let relative = [("HOME", "/h"), ("XDG_CONFIG_HOME", "x")];
    assert_eq!(found(None, &relative), [PathBuf::from("/h/.config/ptree-tui/config.toml"), etc.clone()]);
    // Through sudo, the environment is root's or whatever the caller was let keep.
    assert_eq!(
        found(Some(Some("/users/ann")), &both),
        [PathBuf::from("/users/ann/.config/ptree-tui/config.toml"), etc.clone()]
    );
    assert_eq!(found(Some(None), &both), [etc]);
}

#[test]
fn a_file_that_is_asked_for_must_exist() {
    let missing = Config::load(Some(Path::new("no/such/file"))).unwrap_err().to_string();
    assert!(missing.starts_with("'no/such/file': No such file"), "{missing}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "[general]\nkeep = \"5s\"").unwrap();
    assert_eq!(Config::load(Some(&path)).unwrap().engine.keep_ns, 5_000_000_000);
}

#[test]
fn columns_are_chosen_ordered_and_resized() {
    let config =
        parse("[columns]\nshow = [\"status\", \"pid\"]\nwidths = { status = 20, tree-cpu = 6 }", "file").unwrap();
    assert_eq!(config.columns.shown(), [Column::State, Column::Pid]);
    assert_eq!([Column::State, Column::TreeCpu].map(|column| config.columns.width(column)), [Some(20), Some(6)]);
    assert_eq!(parse("[columns]\nshow = [\"tree_cpu\"]", "file").unwrap().columns.shown(), [Column::TreeCpu]);
    assert_eq!(parse("[columns]\nshow = []", "file").unwrap().columns.shown(), []);
    assert_eq!(parse("[columns]\nwidths = { pid = 9 }", "file").unwrap().columns.shown(), Chosen::default().shown());
    for (text, told) in [
        ("show = [\"lifetme\"]", "there is no column called 'lifetme'; did you mean 'lifetime'?"),
        ("show = [\"x\"]", "there is no column called 'x'; 'ptree-tui config' prints them all"),
        ("show = [\"pid\", \"pid\"]", "'pid' is given twice"),
        ("show = [\"command\"]", "'command' is always there, and the last"),
        ("show = [1]", "'1' is no column: write its name in quotes"),
        ("show = \"pid\"", "'pid' for 'show': give a list, such as [\"pid\", \"cpu\"]"),
        ("widths = { usr = 9 }", "there is no column called 'usr'; did you mean 'user'?"),
        ("widths = { user = 2 }", "'2' for 'user': give a width from 3 to 200"),
        ("widths = { user = 900 }", "'900' for 'user': give a width from 3 to 200"),
        ("widths = { user = \"9\" }", "'9' for 'user': give a width from 3 to 200"),
        ("widths = 9", "'9' for 'widths': give a table, such as { user = 12 }"),
        ("shown = []", "there is no setting in [columns] called 'shown'; did you mean 'show'?"),
    ] {
        assert_eq!(wrong(&format!("[columns]\n{text}")), format!("file:2: {told}"));
    }
}

#[test]
fn a_flood_of_mistakes_is_told_in_a_few_short_harmless_lines() {
    let deep =
        [('[', 1 << 20), ('{', 1 << 20), ('(', 1 << 20)].map(|(c, n)| format!("a = {}", String::from(c).repeat(n)));
    let lines = |line: &str| line.repeat(50_000 / line.len());
    let broad = [lines("a\n"), lines("a = [\n"), format!("[general]\n{}", lines("\u{1b}[2J\n")), lines("[[a]]\n[a]\n")];
    let unknown: String = (0..5_000).map(|n| format!("k{n} = 1\n")).collect();
    let hostile = "\\u001b]0;T\\u0007\\n\\u202E".repeat(10_000);
    let values = [
        format!("[general]\n\"{hostile}\" = 1"),
        format!("[general]\nkeep = \"{hostile}\""),
        format!("[general]\ntheme = \"{hostile}\""),
        format!("[general]\nfilter = \"coom={}\"", &hostile[..3000]),
        format!("[general]\nkeep-max = {}", "9".repeat(100_000)),
        format!("[\"{hostile}\"]"),
        format!("[filters]\n\"{hostile}\" = 'x'"),
        format!("[filters]\n{} = 5", "x".repeat(100_000)),
        format!("[alerts]\n\"{hostile}\" = 5"),
        format!("[colours]\nbad = \"{hostile}\""),
        format!("[keys.tree]\nup = [\"{}\"]", "\\u001b".repeat(10_000)),
        "[keys.tree]\nup = [\"\\u001b\"]".to_owned(),
        format!("[keys.tree]\nup = [\"{0}\", \"{0}\"]", "a ".repeat(100_000)),
        format!("[columns]\nshow = [\"{hostile}\"]"),
        format!("[columns]\nwidths = {{ \"{hostile}\" = 5 }}"),
    ];
    for text in deep.iter().chain(&broad).chain(&values).chain([&unknown]) {
        let told = wrong(text);
        assert!(told.lines().count() <= 21, "{} lines of {:.60}", told.lines().count(), text);
        for line in told.lines() {
            assert!(line.chars().count() < 400, "{line:.500}");
            assert!(line.starts_with("file:") && !line.contains(text::is_control), "{line}");
        }
    }
    assert!(wrong(&unknown).ends_with("\nfile: and 4980 more"), "{}", wrong(&unknown));
}
