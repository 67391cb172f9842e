//! What is asked for of a living process and shown instead of its page: environment or open files, as they were then.

use ptree_core::text;

use super::{Details, Entry, Lines};
use crate::act::Target;
use crate::action::{Effect, Mode};
use crate::app::App;
use crate::inspect::{Access, Answer, Environment, Files, Found, Kind, Open, Question, Refusal, Socket, Subject};
use crate::label::Tone;

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Sheet {
    subject: Subject,
    lines: Lines,
    /// It has not been told yet.
    is_asked: bool,
    /// It was asked for from elsewhere: there is no page below it.
    is_direct: bool,
}

impl Sheet {
    /// What it is, in words.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self.subject {
            Subject::Environment => "Environment",
            Subject::Files => "Open files",
        }
    }

    /// What it shows has been asked for, and not been told yet.
    #[must_use]
    pub const fn is_asked(&self) -> bool {
        self.is_asked
    }

    pub(super) const fn lines(&self) -> &Lines {
        &self.lines
    }

    pub(super) const fn lines_mut(&mut self) -> &mut Lines {
        &mut self.lines
    }
}

impl Details {
    /// Shows what is asked for instead of the page, or of nothing; false where it has been asked for already.
    fn open_sheet(&mut self, subject: Subject, is_direct: bool) -> bool {
        match &mut self.sheet {
            // What was told before stays until then.
            Some(sheet) if sheet.subject == subject => return !std::mem::replace(&mut sheet.is_asked, true),
            other => {
                let is_direct = other.as_ref().map_or(is_direct, |other| other.is_direct);
                *other = Some(Sheet { subject, lines: Lines::new(0), is_asked: true, is_direct });
            }
        }
        self.search.leave_line();
        true
    }

    /// Back to the page; false where there is none.
    pub(in crate::app) fn close_sheet(&mut self) -> bool {
        self.search.leave_line();
        self.sheet.take().is_some_and(|sheet| !sheet.is_direct)
    }
}

impl App {
    /// Has something read of the process that is looked at.
    pub(in crate::app) fn inspect(&mut self, subject: Subject) -> Option<Effect> {
        let key = self.looked_at()?;
        let what = match subject {
            Subject::Environment => "environment",
            Subject::Files => "open files",
        };
        if !self.is_here {
            self.say(format!("These processes are not here: of their {what} nothing was recorded"), false);
            return None;
        }
        // As it is now, also in a pause.
        let Some(process) = self.session.engine().tree().get(key).filter(|process| process.is_alive()) else {
            self.say(format!("Process {} has ended: its {what} went with it", key.pid), false);
            return None;
        };
        let target = Target::of(process);
        let is_direct = self.mode != Mode::Details;
        if is_direct {
            self.details = Some(Details::of(key));
            self.mode = Mode::Details;
        }
        let is_new = self.details.as_mut()?.open_sheet(subject, is_direct);
        is_new.then_some(Effect::Inspect(Question { subject, target }))
    }

    /// Takes what was read, unless nobody waits for it any more.
    pub(in crate::app) fn inspected(&mut self, answer: Answer) {
        let when = self.session.wall().clock(self.session.now_ns(), false);
        let Some(details) = self.details.as_mut().filter(|details| details.key == answer.key) else { return };
        let Some(sheet) = details.sheet.as_mut().filter(|sheet| sheet.subject == answer.subject) else { return };
        let (labels, entries) = match &answer.found {
            Ok(Found::Environment(environment)) => (0, variables(environment, &when)),
            Ok(Found::Files(files)) => files_open(files, &when),
            Err(refusal) => (0, vec![line(why(refusal), Tone::Bad)]),
        };
        sheet.lines.set(labels, entries);
        sheet.is_asked = false;
        self.dirty = true;
    }
}

fn line(value: impl Into<String>, tone: Tone) -> Entry {
    Entry { value: value.into(), tone, ..Entry::default() }
}

fn why(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Gone => "It has ended.".to_owned(),
        Refusal::Denied => {
            "Not permitted: this takes root, or being its user and the capability CAP_SYS_PTRACE.".to_owned()
        }
        Refusal::Unseen => "It cannot be told from others here: it is in another pid namespace.".to_owned(),
        Refusal::Other(error) => format!("It cannot be read: {}", text::shown(error.as_bytes(), text::VALUE)),
    }
}

/// By name.
fn variables(environment: &Environment, when: &str) -> Vec<Entry> {
    let Environment { variables, left_out, left_out_bytes } = environment;
    if variables.is_empty() && *left_out == 0 {
        return vec![line(format!("None, at {when}"), Tone::Dim)];
    }
    let count = variables.len() + left_out;
    let mut entries =
        vec![line(format!("{count} variables at {when}, as it was started: later changes may be missing"), Tone::Dim)];
    if *left_out > 0 {
        let (most, more) = (text::bytes(Environment::BYTES_MAX as u64), text::bytes(*left_out_bytes as u64));
        entries
            .push(line(format!("{left_out} of them, {more}, are left out: more than {most} are not shown"), Tone::Bad));
    }
    let mut variables: Vec<&[u8]> = variables.iter().map(Vec::as_slice).collect();
    let name = |variable: &[u8]| variable.iter().position(|&byte| byte == b'=').unwrap_or(0);
    variables.sort_by_key(|variable| &variable[..name(variable)]);
    entries.extend(variables.into_iter().map(|variable| {
        let name = text::readable(&variable[..name(variable)]).len();
        Entry { value: text::readable(variable).into_owned(), name, ..Entry::default() }
    }));
    entries
}

/// With the columns that their labels take.
fn files_open(files: &Files, when: &str) -> (u16, Vec<Entry>) {
    let digits = files.open.last().map_or(1, |open| open.fd.checked_ilog10().unwrap_or(0) + 1) as usize;
    // The longest of the words, and the descriptors with what they are open for.
    let width = "program".len().max(digits + 3);
    let labelled =
        |label: &str, value: String| Entry { label: format!("{label:>width$}").into(), value, ..Entry::default() };
    let limit = files.limit.map_or_else(String::new, |limit| format!(" of at most {limit}"));
    let mut entries = vec![labelled("open", format!("{}{limit}, at {when}", files.count))];
    let root = files.root.as_ref().filter(|root| root.as_slice() != b"/");
    for (label, path) in [("folder", files.folder.as_ref()), ("root", root), ("program", files.program.as_ref())] {
        entries.extend(path.map(|path| labelled(label, text::readable(path).into_owned())));
    }
    let left_out = files.count.saturating_sub(Files::MAX);
    if left_out > 0 {
        let told = format!("{left_out} are left out: no more than {} are shown", Files::MAX);
        entries.push(Entry { tone: Tone::Bad, ..labelled("", told) });
    }
    entries.extend(files.open.iter().map(|open| labelled(&descriptor(open), opened(open))));
    (u16::try_from(width + 2).unwrap_or(u16::MAX), entries)
}

/// `3 rw`
fn descriptor(open: &Open) -> String {
    let access = match open.access {
        Some(Access::Read) => "r ",
        Some(Access::Write) => " w",
        Some(Access::Both) => "rw",
        Some(Access::Path) => "- ",
        None => "? ",
    };
    format!("{} {access}", open.fd)
}

/// What is open, by its kind, and where it is.
fn opened(open: &Open) -> String {
    let (kind, what) = match &open.kind {
        Kind::Path(kind, path) => (*kind, text::readable(path).into_owned()),
        Kind::Pipe(inode) => ("pipe", format!("[{inode}]")),
        Kind::Socket(inode, None) => ("socket", format!("[{inode}]")),
        Kind::Socket(inode, Some(socket)) => (socket.protocol, address(*inode, socket)),
        Kind::Kernel(name) => ("kernel", text::readable(name).into_owned()),
    };
    let mut line = format!("{kind:<6}  {what}");
    let mut how = open.manner.clone();
    let position = format!("at {}", open.position);
    if open.position > 0 {
        how.insert(0, &position);
    }
    if !how.is_empty() {
        line += &format!("  {}", how.join(", "));
    }
    line
}

/// `127.0.0.1:22 → 127.0.0.1:50000  established`
fn address(inode: u64, socket: &Socket) -> String {
    let mut address = text::readable(&socket.local).into_owned();
    if address.is_empty() {
        address = format!("[{inode}]");
    }
    if let Some(peer) = socket.peer {
        address += &format!(" → {peer}");
    }
    if !socket.state.is_empty() {
        address += &format!("  {}", socket.state);
    }
    address
}
