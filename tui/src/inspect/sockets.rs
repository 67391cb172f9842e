//! Sockets by inode, from the tables in the `net` folder of a process: those of the network namespace in which it is.
//!
//! Sockets that are neither bound nor connected, and those that came from another namespace, are in none of them.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use rustc_hash::{FxHashMap, FxHashSet};

/// Bytes of one table that are read: hundreds of thousands of sockets.
const TABLE_MAX: u64 = 64 << 20;

/// What is known of a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// `tcp`, `udp6`, `unix` and so on.
    pub protocol: &'static str,
    /// Its own address: of the internet, or a path, which whoever bound it has chosen. May be empty.
    pub local: Vec<u8>,
    /// The other end's.
    pub peer: Option<SocketAddr>,
    /// In a word how it is; may be empty.
    pub state: &'static str,
}

type Parse = fn(&'static str, &[u8]) -> Option<(u64, Socket)>;

/// The tables. Anybody can put a line of his own making into the last one, by a name with a line feed in it: it is believed
/// only of sockets that are in no other.
const TABLES: [(&str, Parse); 9] = [
    ("tcp", inet),
    ("tcp6", inet),
    ("udp", inet),
    ("udp6", inet),
    ("netlink", netlink),
    ("raw", inet),
    ("raw6", inet),
    ("packet", packet),
    ("unix", unix),
];

/// Looks for sockets in the tables of a folder, until all of them are found. One that a table has twice is taken for not
/// found: one of the two is made up.
pub(super) fn find(folder: &Path, mut wanted: FxHashSet<u64>) -> FxHashMap<u64, Socket> {
    let mut found = FxHashMap::default();
    for (name, parse) in TABLES {
        let Some(file) = File::open(folder.join(name)).ok().filter(|_| !wanted.is_empty()) else { continue };
        let mut table = BufReader::with_capacity(64 << 10, file.take(TABLE_MAX));
        let mut line = Vec::new();
        let mut here: FxHashMap<u64, Option<Socket>> = FxHashMap::default();
        while matches!(table.read_until(b'\n', &mut line), Ok(1..)) {
            if let Some((inode, socket)) = parse(name, line.strip_suffix(b"\n").unwrap_or(&line))
                && wanted.contains(&inode)
            {
                here.entry(inode).and_modify(|known| *known = None).or_insert(Some(socket));
            }
            line.clear();
        }
        wanted.retain(|inode| !here.contains_key(inode));
        found.extend(here.into_iter().filter_map(|(inode, socket)| Some((inode, socket?))));
    }
    found
}

/// `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode ...`
fn inet(protocol: &'static str, line: &[u8]) -> Option<(u64, Socket)> {
    let fields: Vec<&str> = str::from_utf8(line).ok()?.split_ascii_whitespace().collect();
    let [_, local, peer, state, _, _, _, _, _, inode, ..] = fields[..] else { return None };
    let state = if protocol.starts_with("tcp") { tcp_state(state) } else { "" };
    let peer = address(peer)?;
    let socket = Socket {
        protocol,
        local: address(local)?.to_string().into_bytes(),
        peer: (peer.port() != 0 || !peer.ip().is_unspecified()).then_some(peer),
        state,
    };
    Some((inode.parse().ok()?, socket))
}

/// `0100007F:0016`, or four such words and the port: words are in the byte order of the machine, of what was in that of
/// the net; the port is a number.
fn address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let mut octets = [0; 16];
    let words = octets.chunks_exact_mut(4).zip(0..address.len() / 8);
    for (octets, word) in words {
        let word = u32::from_str_radix(address.get(word * 8..word * 8 + 8)?, 16).ok()?;
        octets.copy_from_slice(&word.to_ne_bytes());
    }
    let ip = match (address.len(), octets) {
        (8, [a, b, c, d, ..]) => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        // An IPv4 peer of an IPv6 socket is shown as what it is.
        (32, octets) => Ipv6Addr::from(octets).to_canonical(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

fn tcp_state(number: &str) -> &'static str {
    match number {
        "01" => "established",
        "02" => "syn sent",
        "03" | "0C" => "syn received",
        "04" => "fin wait 1",
        "05" => "fin wait 2",
        "06" => "time wait",
        "07" => "closed",
        "08" => "close wait",
        "09" => "last ack",
        "0A" => "listening",
        "0B" => "closing",
        _ => "",
    }
}

/// `Num RefCount Protocol Flags Type St Inode Path`: the path may have anything in it.
fn unix(_: &'static str, line: &[u8]) -> Option<(u64, Socket)> {
    let mut rest = line;
    let mut fields = [""; 7];
    for field in &mut fields {
        rest = rest.trim_ascii_start();
        let (word, after) = rest.split_at(rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len()));
        (*field, rest) = (str::from_utf8(word).ok()?, after);
    }
    let [_, _, _, flags, kind, state, inode] = fields;
    let listens = u32::from_str_radix(flags, 16).ok()? & 0x1_0000 != 0;
    let protocol = match kind {
        "0001" => "unix",
        "0002" => "unix datagram",
        _ => "unix packet",
    };
    let state = match state {
        _ if listens => "listening",
        "02" => "connecting",
        "03" => "connected",
        "04" => "disconnecting",
        _ => "",
    };
    let local = rest.strip_prefix(b" ").unwrap_or(rest).to_vec();
    Some((inode.parse().ok()?, Socket { protocol, local, peer: None, state }))
}

/// `sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode`
fn netlink(protocol: &'static str, line: &[u8]) -> Option<(u64, Socket)> {
    let fields: Vec<&str> = str::from_utf8(line).ok()?.split_ascii_whitespace().collect();
    let [_, family, _, _, _, _, _, _, _, inode, ..] = fields[..] else { return None };
    let local = match family {
        "0" => "route",
        "4" => "sock_diag",
        "9" => "audit",
        "12" => "netfilter",
        "15" => "uevent",
        "16" => "generic",
        other => other,
    };
    Some((inode.parse().ok()?, Socket { protocol, local: local.into(), peer: None, state: "" }))
}

/// `sk RefCnt Type Proto Iface R Rmem User Inode`
fn packet(protocol: &'static str, line: &[u8]) -> Option<(u64, Socket)> {
    let fields: Vec<&str> = str::from_utf8(line).ok()?.split_ascii_whitespace().collect();
    let [_, _, _, _, _, _, _, _, inode] = fields[..] else { return None };
    Some((inode.parse().ok()?, Socket { protocol, local: Vec::new(), peer: None, state: "" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(table: &str, line: &str) -> Option<(u64, Socket)> {
        let (name, parse) = TABLES.into_iter().find(|(name, _)| *name == table)?;
        parse(name, line.as_bytes())
    }

    /// Words as this machine writes them.
    fn hex(octets: &[u8]) -> String {
        octets.chunks(4).map(|word| format!("{:08X}", u32::from_ne_bytes(word.try_into().unwrap()))).collect()
    }

    fn shown(table: &str, line: &str) -> Option<String> {
        let (inode, socket) = parse(table, line)?;
        let peer = socket.peer.map_or("-".to_owned(), |peer| peer.to_string());
        let local = String::from_utf8_lossy(&socket.local).into_owned();
        Some(format!("{inode} {} {local} {peer} {}", socket.protocol, socket.state))
    }

    #[test]
    fn sockets_of_the_internet_have_addresses() {
        let own = hex(&[127, 0, 0, 1]);
        let rest = "00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0";
        let line = format!("   0: {own}:0016 00000000:0000 0A {rest}");
        assert_eq!(shown("tcp", &line).as_deref(), Some("4711 tcp 127.0.0.1:22 - listening"));
        let line = format!("   1: {own}:0016 {}:C350 01 {rest}", hex(&[10, 1, 2, 3]));
        assert_eq!(shown("tcp", &line).as_deref(), Some("4711 tcp 127.0.0.1:22 10.1.2.3:50000 established"));
        let line = format!("  12: {own}:0035 00000000:0000 07 {rest}");
        assert_eq!(shown("udp", &line).as_deref(), Some("4711 udp 127.0.0.1:53 - "));
        let (one, none) = (hex(&Ipv6Addr::LOCALHOST.octets()), hex(&[0; 16]));
        let line = format!("   0: {one}:1F90 {none}:0000 0A {rest}");
        assert_eq!(shown("tcp6", &line).as_deref(), Some("4711 tcp6 [::1]:8080 - listening"));
        let mapped = hex(&Ipv4Addr::new(10, 1, 2, 3).to_ipv6_mapped().octets());
        let line = format!("   0: {mapped}:1F90 {mapped}:0001 08 {rest}");
        assert_eq!(shown("tcp6", &line).as_deref(), Some("4711 tcp6 10.1.2.3:8080 10.1.2.3:1 close wait"));
    }

    #[test]
    fn sockets_of_the_machine_have_paths_of_any_kind() {
        let line = "0000000000000000: 00000002 00000000 00010000 0001 01 18 /run/a  b";
        assert_eq!(shown("unix", line).as_deref(), Some("18 unix /run/a  b - listening"));
        let line = "ffff888100000000: 00000003 00000000 00000000 0002 03    19";
        assert_eq!(shown("unix", line).as_deref(), Some("19 unix datagram  - connected"));
        let line = b"0: 00000002 00000000 00000000 0005 01 20 @a\xff\x1b";
        assert_eq!(unix("unix", line).unwrap().1.local, b"@a\xff\x1b");
        let line = "0000000000000000 15  0          00000000 0        0        0     2        0        12345";
        assert_eq!(shown("netlink", line).as_deref(), Some("12345 netlink uevent - "));
        let line = "0000000000000000 3      3    0003   2     1 0      0      777";
        assert_eq!(shown("packet", line).as_deref(), Some("777 packet  - "));
    }

    #[test]
    fn a_name_with_a_line_feed_makes_no_socket_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let rest = "00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0";
        let tcp = format!("  sl\n   0: {}:0016 00000000:0000 0A {rest}\n", hex(&[127, 0, 0, 1]));
        let forged = "0: 00000002 00000000 00010000 0001 01 17 /x\n0: 2 0 0 0001 01 4711 /y\n0: 2 0 0 0001 01 18 /z\n";
        let unix = format!("{forged}0: 00000002 00000000 00010000 0001 01 18 /run/honest\n");
        std::fs::write(folder.path().join("tcp"), tcp).unwrap();
        std::fs::write(folder.path().join("unix"), unix).unwrap();
        let found = find(folder.path(), [4711, 17, 18].into_iter().collect());
        assert_eq!((found[&4711].protocol, found[&17].local.as_slice()), ("tcp", b"/x".as_slice()));
        assert_eq!(found.get(&18), None, "which of the two is true cannot be told");
    }

    #[test]
    fn headings_and_nonsense_are_no_sockets() {
        for line in [
            "",
            " ",
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
            "Num       RefCount Protocol Flags    Type St Inode Path",
            "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode",
            "sk       RefCnt Type Proto  Iface R Rmem   User   Inode",
        ] {
            for (table, _) in TABLES {
                assert_eq!(parse(table, line), None, "{table}: {line}");
            }
        }
        for own in ["0100007F", "0100007F:x", "0000é000:0000", "0100007F01:0016", ":0016"] {
            assert_eq!(parse("tcp", &format!("0: {own} 00000000:0000 0A a b c d e 4711")), None, "{own}");
        }
    }
}
