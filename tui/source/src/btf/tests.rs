//! BTF made by hand, and mutilated.

use proptest::prelude::*;

use super::*;

/// A blob of these words of types and this string section.
pub(crate) fn blob(types: &[u32], strings: &str) -> Vec<u8> {
    let mut data = Vec::new();
    data.extend_from_slice(&0xeb9f_u16.to_ne_bytes());
    data.extend_from_slice(&[1, 0]);
    let type_len = 4 * types.len() as u32;
    for word in [24, 0, type_len, type_len, strings.len() as u32] {
        data.extend_from_slice(&word.to_ne_bytes());
    }
    for word in types {
        data.extend_from_slice(&word.to_ne_bytes());
    }
    data.extend_from_slice(strings.as_bytes());
    data
}

const fn info(kind: u32, len: u32) -> u32 {
    (kind << 24) | len
}

/// ```c
/// typedef int num;
/// struct inner { num x; num y; };
/// struct outer { num a; struct { num b; union { num c; struct inner d[3]; }; }; num bits:4, :4, whole:8, :4, askew:8; };
/// enum { ONE = 1, TWO, BELOW = -1 };
/// typedef void (*btf_trace_hook)(void *, int, int);
/// ```
fn sample() -> Vec<u8> {
    let strings = "\0int\0num\0inner\0x\0y\0outer\0a\0b\0c\0d\0bits\0whole\0askew\0btf_trace_hook\0ONE\0TWO\0BELOW\0";
    let name = |text: &str| strings.find(&format!("\0{text}\0")).unwrap() as u32 + 1;
    let bitfields = 1 << 31;
    #[rustfmt::skip]
    let types = [
        name("int"), info(kind::INT, 0), 4, 32,                                        // 1
        name("num"), info(kind::TYPEDEF, 0), 1,                                        // 2
        name("inner"), info(kind::STRUCT, 2), 8, name("x"), 2, 0, name("y"), 2, 32,    // 3
        0, info(kind::ARRAY, 0), 0, 3, 1, 3,                                           // 4
        0, info(kind::UNION, 2), 24, name("c"), 2, 0, name("d"), 4, 0,                 // 5
        0, info(kind::STRUCT, 2), 28, name("b"), 2, 0, 0, 5, 32,                       // 6
        name("outer"), info(kind::STRUCT, 5) | bitfields, 40,
            name("a"), 2, 0, 0, 6, 32, name("bits"), 2, (4 << 24) | 256,
            name("whole"), 2, (8 << 24) | 264, name("askew"), 2, (8 << 24) | 276,      // 7
        0, info(kind::FUNC_PROTO, 3), 0, 0, 9, 0, 1, 0, 1,                             // 8
        0, info(kind::PTR, 0), 8,                                                      // 9
        name("btf_trace_hook"), info(kind::TYPEDEF, 0), 9,                             // 10
        0, info(kind::ENUM, 3), 4, name("ONE"), 1, name("TWO"), 2, name("BELOW"), u32::MAX, // 11
    ];
    blob(&types, strings)
}

#[test]
fn finds_members_in_anonymous_structs_unions_and_arrays() {
    let data = sample();
    let btf = Btf::parse(&data).unwrap();
    let place = |offset, size, class, ty| Some(Place { offset, size, class, ty });
    assert_eq!(btf.member("outer", "a"), place(0, 4, Class::Int, 2));
    assert_eq!(btf.member("outer", "b"), place(4, 4, Class::Int, 2));
    assert_eq!(btf.member("outer", "c"), place(8, 4, Class::Int, 2));
    assert_eq!(btf.member("outer", "d"), place(8, 24, Class::Structs, 4));
    assert_eq!(btf.member("outer", "d[2]"), place(8 + 2 * 8, 8, Class::Struct, 3));
    assert_eq!(btf.member("outer", "d[2].y"), place(8 + 2 * 8 + 4, 4, Class::Int, 2));
    assert_eq!(btf.member("outer", "d[3].y"), None, "out of bounds");
    assert_eq!(btf.member("outer", "d[TWO].y"), btf.member("outer", "d[2].y"), "whatever the kernel counts it as");
    assert_eq!(btf.member("outer", "d[ONE].y").unwrap().offset, 8 + 8 + 4);
    assert_eq!(btf.member("outer", "d[BELOW].y"), None);
    assert_eq!(btf.member("outer", "d[THREE].y"), None);
    assert_eq!(btf.member("outer", "bits"), None, "half a byte");
    assert_eq!(btf.member("outer", "whole"), place(33, 1, Class::Int, 2), "a bit-field of a byte");
    assert_eq!(btf.member("outer", "askew"), None, "it does not begin with a byte");
    let names = ["num", "struct inner", "struct inner[3]", "union {...}", "struct {...}"];
    assert_eq!((2..7).map(|id| btf.type_name(id)).collect::<Vec<_>>(), names);
    assert_eq!(
        (btf.type_name(9), btf.type_name(0), btf.type_name(99)),
        ("function *".into(), "void".into(), "?".into())
    );
    assert_eq!(btf.member("outer", "nothing"), None);
    assert_eq!(btf.member("outer", "a.x"), None, "not a struct");
    assert_eq!(btf.member("nothing", "a"), None);
    assert_eq!(btf.struct_size("outer"), Some(40));
    assert_eq!(btf.tracepoint_args("hook"), Some(2));
    assert_eq!(btf.tracepoint_args("nothing"), None);
}

#[test]
fn refuses_what_is_not_btf() {
    assert_eq!(Btf::parse(b"\x7fELF...").unwrap_err(), BtfError::Elf);
    assert_eq!(Btf::parse(b"hello").unwrap_err(), BtfError::Magic(b"hell".to_vec()));
    assert_eq!(Btf::parse(&[]).unwrap_err(), BtfError::Empty);
    assert!(matches!(Btf::parse(b"\xeb"), Err(BtfError::Magic(_))));
    assert!(matches!(Btf::parse(&blob(&[0, info(31, 0), 0], "\0")), Err(BtfError::UnknownKind { id: 1, kind: 31 })));
}

/// A struct of many nameless members, each of which is itself: looking through all of it, ever deeper, would take
/// longer than the universe is old.
#[test]
fn a_struct_that_holds_itself_many_times_is_given_up_on() {
    let count = 1000;
    let mut types = vec![1, info(kind::STRUCT, count), 8];
    types.extend((0..count).flat_map(|_| [0, 1, 0]));
    let data = blob(&types, "\0self\0");
    let btf = Btf::parse(&data).unwrap();
    assert_eq!(btf.struct_size("self"), Some(8));
    assert_eq!(btf.member("self", "x"), None);
    // And a pointer to itself has an endless name.
    let data = blob(&[0, info(kind::PTR, 0), 1], "\0");
    assert!(Btf::parse(&data).unwrap().type_name(1).ends_with('*'));
}

proptest! {
    /// However a blob is mutilated, there is an answer or an error, and no panic.
    #[test]
    fn survives_mutilation(cut in 0_usize..500, at in 0_usize..500, byte: u8) {
        let mut data = sample();
        data.truncate(data.len().min(cut + 24));
        let len = data.len();
        data[at % len] = byte;
        if let Ok(btf) = Btf::parse(&data) {
            for path in ["a", "b", "c", "d[1].y", "bits", "d[4294967295].x"] {
                let _ = btf.member("outer", path);
            }
            let _ = btf.tracepoint_args("hook");
        }
    }
}
