//! What invented processes run. Command lines that are always the same are shared; those of a compiler name a file each.
//!
//! Does not know who runs them.

use std::sync::Arc;

use ptree_core::{Argv, Comm};
use rustc_hash::FxHashMap;

/// A program with its arguments.
#[derive(Clone, Debug)]
pub struct Program {
    /// Path as given to execve.
    pub path: Arc<[u8]>,
    /// Arguments.
    pub argv: Argv,
    /// The name that it gives its process.
    pub comm: Comm,
}

/// A command line: path and arguments. A `#` in an argument stands for a number that each use has another of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Line(pub(super) &'static str, pub(super) &'static str);

pub(super) const INIT: Line = Line("/usr/lib/systemd/systemd", "/sbin/init splash");
pub(super) const JOURNALD: Line = Line("/usr/lib/systemd/systemd-journald", "/usr/lib/systemd/systemd-journald");
pub(super) const UDEVD: Line = Line("/usr/bin/udevadm", "/usr/lib/systemd/systemd-udevd");
pub(super) const DBUS: Line =
    Line("/usr/bin/dbus-daemon", "@dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation");
pub(super) const LOGIND: Line = Line("/usr/lib/systemd/systemd-logind", "/usr/lib/systemd/systemd-logind");
pub(super) const CRON: Line = Line("/usr/sbin/cron", "/usr/sbin/cron -f");
pub(super) const SSHD: Line = Line("/usr/sbin/sshd", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups");
pub(super) const SSHD_SESSION: Line = Line("/usr/lib/openssh/sshd-session", "sshd-session: ann [priv]");
pub(super) const LOGIN_SHELL: Line = Line("/usr/bin/bash", "-bash");
pub(super) const USER_MANAGER: Line = Line("/usr/lib/systemd/systemd", "/usr/lib/systemd/systemd --user");
pub(super) const SERVICES: [Line; 8] = [
    Line("/usr/sbin/nginx", "nginx: worker process"),
    Line("/usr/lib/postgresql/17/bin/postgres", "postgres: 17/main: ann orders [local] idle"),
    Line("/usr/bin/python3.13", "/usr/bin/python3 -m gunicorn --workers 8 shop.wsgi:application"),
    Line("/usr/bin/node", "node /srv/site/server.js --port 8080"),
    Line("/usr/bin/redis-server", "/usr/bin/redis-server 127.0.0.1:6379"),
    Line("/usr/sbin/php-fpm8.4", "php-fpm: pool www"),
    Line("/usr/sbin/apache2", "/usr/sbin/apache2 -k start"),
    Line("/usr/bin/prometheus-node-exporter", "/usr/bin/prometheus-node-exporter --web.listen-address=:9100"),
];

pub(super) const CRON_SH: Line = Line("/bin/sh", "/bin/sh -c cd / && run-parts --report /etc/cron.hourly");
pub(super) const RUN_PARTS: Line = Line("/usr/bin/run-parts", "run-parts --report /etc/cron.hourly");
pub(super) const LOGROTATE: Line = Line("/usr/sbin/logrotate", "/usr/sbin/logrotate /etc/logrotate.conf");
pub(super) const GZIP: Line = Line("/usr/bin/gzip", "gzip -9 /var/log/app/access.log.#");
pub(super) const BACKUP: Line = Line("/usr/local/bin/backup", "/usr/local/bin/backup --set # --quiet");
pub(super) const LS: Line = Line("/usr/bin/ls", "ls --color=auto -l");
pub(super) const GIT: Line = Line("/usr/bin/git", "git log --oneline -n #");
pub(super) const PAGER: Line = Line("/usr/bin/less", "less -FRX");

pub(super) const MAKE: Line = Line("/usr/bin/make", "make -j all");
pub(super) const COMPILE_SH: Line =
    Line("/bin/sh", "/bin/sh -c gcc -O2 -Wall -Iinclude -MMD -c src/unit_#.c -o build/unit_#.o");
pub(super) const GCC: Line = Line("/usr/bin/gcc", "gcc -O2 -Wall -Iinclude -MMD -c src/unit_#.c -o build/unit_#.o");
pub(super) const CC1: Line = Line(
    "/usr/libexec/gcc/x86_64-linux-gnu/14/cc1",
    "/usr/libexec/gcc/x86_64-linux-gnu/14/cc1 -quiet -I include -MMD build/unit_#.d src/unit_#.c -quiet -dumpdir build/ \
     -dumpbase unit_#.c -mtune=generic -march=x86-64 -O2 -Wall -o /tmp/cc#.s",
);
pub(super) const AS: Line = Line("/usr/bin/as", "as -I include --64 -o build/unit_#.o /tmp/cc#.s");
pub(super) const LINK_SH: Line = Line("/bin/sh", "/bin/sh -c gcc -o build/tool_# build/main_#.o -Lbuild -lunits -lm");
pub(super) const LINK_GCC: Line = Line("/usr/bin/gcc", "gcc -o build/tool_# build/main_#.o -Lbuild -lunits -lm");
pub(super) const COLLECT2: Line = Line(
    "/usr/libexec/gcc/x86_64-linux-gnu/14/collect2",
    "/usr/libexec/gcc/x86_64-linux-gnu/14/collect2 -pie -o build/tool_# build/main_#.o -Lbuild -lunits -lm -lc",
);
pub(super) const LD: Line =
    Line("/usr/bin/ld", "/usr/bin/ld -pie -o build/tool_# build/main_#.o -Lbuild -lunits -lm -lc");

pub(super) const STORM_SH: Line = Line("/bin/bash", "bash ./storm.sh");
pub(super) const TRUE: Line = Line("/usr/bin/true", "true");
pub(super) const GREP: Line = Line("/usr/bin/grep", "grep -q pattern");
pub(super) const SLEEP: Line = Line("/usr/bin/sleep", "sleep 1");
pub(super) const CHAIN: Line = Line("/bin/sh", "/bin/sh ./chain.sh #");
pub(super) const STAR_SH: Line = Line("/bin/bash", "bash ./fetch-all.sh");
pub(super) const STAR: Line = Line("/usr/bin/curl", "curl -s http://localhost/item/#");

pub(super) const CONTAINERD: Line = Line("/usr/bin/containerd", "/usr/bin/containerd");
pub(super) const SHIM: Line = Line(
    "/usr/bin/containerd-shim-runc-v2",
    "/usr/bin/containerd-shim-runc-v2 -namespace k8s.io -id # -address /run/containerd/containerd.sock",
);
pub(super) const RUNC: Line = Line("/usr/bin/runc", "runc --root /run/containerd/runc/k8s.io create --bundle /run/#");
pub(super) const RUNC_EXEC: Line = Line("/usr/bin/runc", "runc --root /run/containerd/runc/k8s.io exec --detach #");
pub(super) const CONTAINER_INITS: [Line; 4] = [
    Line("/usr/sbin/nginx", "nginx: master process nginx -g daemon off;"),
    Line("/usr/local/bin/postgres", "postgres -c shared_buffers=256MB"),
    Line("/usr/bin/tini", "/usr/bin/tini -- node /app/server.js"),
    Line("/usr/bin/python3", "python3 /app/worker.py --queue default"),
];
pub(super) const HEALTH_SH: Line = Line("/bin/sh", "sh -c curl -fs http://localhost:8080/healthz || exit 1");
pub(super) const HEALTH: Line = Line("/usr/bin/curl", "curl -fs http://localhost:8080/healthz");

/// Makes programs of command lines.
#[derive(Debug, Default)]
pub(super) struct Programs {
    made: FxHashMap<Line, Made>,
    bytes: Vec<u8>,
}

#[derive(Debug)]
struct Made {
    program: Program,
    /// What stands between the numbers, where there are any.
    pieces: Option<Vec<Box<[u8]>>>,
}

impl Programs {
    /// The program of a command line, with this number in it.
    pub(super) fn get(&mut self, line: Line, number: u64) -> Program {
        let made = self.made.entry(line).or_insert_with(|| Made::new(line));
        let Some(pieces) = &made.pieces else { return made.program.clone() };
        self.bytes.clear();
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                push_number(&mut self.bytes, number);
            }
            self.bytes.extend_from_slice(piece);
        }
        Program { argv: Argv::from_nul_terminated(&self.bytes), ..made.program.clone() }
    }
}

impl Made {
    fn new(Line(path, arguments): Line) -> Self {
        let name = path.rsplit('/').next().unwrap_or_default();
        let argv = Self::argv(arguments);
        let pieces: Vec<Box<[u8]>> = argv.split(|&byte| byte == b'#').map(Into::into).collect();
        let program = Program {
            path: path.as_bytes().into(),
            argv: Argv::from_nul_terminated(&argv),
            comm: Comm::new(name.as_bytes()),
        };
        Self { program, pieces: (pieces.len() > 1).then_some(pieces) }
    }

    /// Ends each argument by a NUL. A shell's `-c`, and a title with a colon, make one argument of the rest.
    fn argv(arguments: &str) -> Vec<u8> {
        let mut argv = Vec::new();
        let mut rest = arguments;
        while !rest.is_empty() {
            let (argument, after) = rest.split_once(' ').unwrap_or((rest, ""));
            let whole = argv.is_empty() && argument.ends_with(':') || argv.ends_with(b"sh\0-c\0");
            let (argument, after) = if whole { (rest, "") } else { (argument, after) };
            argv.extend_from_slice(argument.as_bytes());
            argv.push(0);
            rest = after.trim_start();
        }
        argv
    }
}

fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    let from = bytes.len();
    loop {
        bytes.push(b'0' + u8::try_from(number % 10).unwrap_or(0));
        number /= 10;
        if number == 0 {
            break;
        }
    }
    bytes[from..].reverse();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: Line, number: u64) -> Vec<String> {
        let program = Programs::default().get(line, number);
        program.argv.iter().map(|arg| String::from_utf8(arg.to_vec()).unwrap()).collect()
    }

    #[test]
    fn command_lines_are_split_as_their_programs_would_have_them() {
        assert_eq!(args(GCC, 70)[4..], ["-MMD", "-c", "src/unit_70.c", "-o", "build/unit_70.o"]);
        assert_eq!(args(HEALTH_SH, 0), ["sh", "-c", "curl -fs http://localhost:8080/healthz || exit 1"]);
        assert_eq!(args(SERVICES[0], 0), ["nginx: worker process"]);
        assert_eq!(args(BACKUP, 0), ["/usr/local/bin/backup", "--set", "0", "--quiet"]);
    }

    #[test]
    fn what_is_always_the_same_is_shared() {
        let mut programs = Programs::default();
        let [first, second] = [1, 2].map(|number| programs.get(TRUE, number).argv);
        assert_eq!(first.as_bytes().as_ptr(), second.as_bytes().as_ptr());
        let [first, second] = [1, 2].map(|number| programs.get(CC1, number).argv);
        assert_ne!(first, second);
    }
}
