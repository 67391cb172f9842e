//! What to start in a process: path, arguments, environment.

use std::ffi::{CString, c_char};
use std::io;
use std::os::unix::ffi::OsStringExt;

use crate::{log, sys};

/// In the environment of this program: end with this code at once, or wait until told when it is no number.
pub(crate) const CHILD: &str = "WORKLOAD_CHILD";

/// A program to be started.
pub(crate) struct Program {
    pub(crate) path: CString,
    pub(crate) argv: Vec<CString>,
    pub(crate) env: Vec<CString>,
}

impl Program {
    /// Any program.
    pub(crate) fn new<A: AsRef<[u8]>>(path: &str, argv: impl IntoIterator<Item = A>) -> io::Result<Self> {
        let argv = argv.into_iter().map(|arg| CString::new(arg.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self { path: CString::new(path)?, argv, env: Vec::new() })
    }

    /// This program with a subcommand.
    pub(crate) fn this(args: &[&str]) -> io::Result<Self> {
        let argv = [&["workload"], args].concat();
        Ok(Self { path: own_path()?, ..Self::new("", argv)? })
    }

    /// This program with any arguments, none of which it looks at: it ends with `end`, a code, or waits.
    pub(crate) fn child<A: AsRef<[u8]>>(end: &str, argv: impl IntoIterator<Item = A>) -> io::Result<Self> {
        Ok(Self { path: own_path()?, env: vec![CString::new(format!("{CHILD}={end}"))?], ..Self::new("", argv)? })
    }

    /// Becomes this program, and logs it. Returns only when that failed.
    pub(crate) fn exec(&self) -> io::Result<u8> {
        log::exec(log::stat("self")?.pid, self)?;
        match nix::unistd::execve(&self.path, &self.argv, &self.env)? {}
    }

    /// Starts it in a new process by fork and exec, and logs both.
    pub(crate) fn spawn(&self) -> io::Result<i32> {
        sys::child(|| self.exec())
    }

    /// Arguments and environment as the kernel takes them; valid as long as this program is.
    pub(crate) fn pointers(&self) -> [Vec<*const c_char>; 2] {
        let array = |strings: &[CString]| strings.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect();
        [array(&self.argv), array(&self.env)]
    }
}

fn own_path() -> io::Result<CString> {
    Ok(CString::new(std::env::current_exe()?.into_os_string().into_vec())?)
}
