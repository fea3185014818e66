#!/usr/bin/env python3
"""Every constant, enumerator, structure and field that hypervisor/abi declares has a row in the tables here.

SPDX-License-Identifier: Apache-2.0
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
HEADERS = HERE.parents[2] / "hypervisor" / "abi"

# Ours alone: the public headers have no name for them.
WITHOUT_COUNTERPART = {
    "version_major", "version_minor", "hypercall::count", "hvm_start_version",
    "x86::xen_cpuid::hypercall_page_msr", "x86::xen_cpuid::hypercall_page_msr_viridian",
    "GuestHandle", "PaddedHandle",
    "PlatformOpCmd::get_dom0_console",  # of version 4.18
    "EfiVariable",  # unnamed there: compared where it is used
    "arm::ArchVcpuInfo", "arm::ArchSharedInfo",  # empty
    "EvtchnOp::reset_cont",  # 14, which the header names for the hypervisor alone
    "x86::CpuidRegister", "x86::CpuidFeature",  # compared row by row: cpuid_features_test.cpp
}
PADDING = re.compile(r"pad\d*|rsvd|unused|spacer")


def read(path):
    return re.sub(r"//[^\n]*", "", path.read_text())


def compared(text):
    """Names that the tables compare: "ns::constant", "Enum::enumerator", "Struct", "Struct.field"."""
    names = set(re.findall(r"\bSAME\(([\w:]+)", text))
    for enum, row in re.findall(r"\bSAME_ENUM\(([\w:]+),\s*\w+,([^)]*)\)", text):
        names |= {f"{enum}::{name}" for name in re.findall(r"\w+", row)}
    for struct, row in re.findall(r"\bSAME_(?:STRUCT|BITS)\(([\w:]+),\s*[\w:]+,?([^)]*)\)", text):
        members = re.findall(r"(?:^|,)\s*(\w+)", row)
        names |= {struct} | {f"{struct}.{member}" for member in members}
    for struct, field in re.findall(r"\bSAME_FIELD_AS\((\w+), (\w+),", text):
        names |= {struct, f"{struct}.{field}"}
    return names


def closing(text, opening):
    depth = 0
    for at in range(opening, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise ValueError("unbalanced braces")


def fields(body):
    """Direct members of a structure; those of an unnamed member count as its own."""
    nested = re.compile(r"\b(?:struct|union)(\s+\w+)?\s*\{([^{}]*)\}(\s*;)?")
    while match := nested.search(body):
        unnamed = match[3] and not match[1]
        body = body[:match.start()] + (match[2] if unnamed else "Nested") + body[match.end():]
    for statement in body.split(";"):
        match = re.match(r"\s*(?:alignas\(\d+\)\s*)?(?:const\s+)?([\w:]+(?:<[^>]*>)?)\s+(\w[^()]*)$", statement)
        if match and match[1] not in ("static", "using", "constexpr"):
            for declarator in match[2].split(","):
                name = re.match(r"\s*(\w+)", declarator)[1]
                if not PADDING.fullmatch(name):
                    yield name


def declared(text):
    """What one header declares, in the same spelling."""
    token = re.compile(r"namespace ([\w:]+) \{|(?:struct|union) (\w+) \{|enum class (\w+) : \w+ \{"
                       r"|inline constexpr \w+ (\w+ = [^;]*);|([{}])")
    scopes, at = [], 0
    while match := token.search(text, at):
        namespace, struct, enum, constants, brace = match.groups()
        prefix = "".join(f"{scope}::" for scope in scopes if scope)
        at = match.end()
        if namespace:
            scopes.append(re.sub(r"^px::abi(::)?", "", namespace))
        elif constants:
            yield from (prefix + name for name in re.findall(r"(\w+) = ", constants))
        elif brace == "{":
            scopes.append("")
        elif brace == "}":
            scopes.pop()
        else:
            end = closing(text, at - 1)
            body, at = text[at:end], end + 1
            if struct:
                yield prefix + struct
                yield from (f"{prefix}{struct}.{name}" for name in fields(body))
            else:
                yield from (f"{prefix}{enum}::{name}" for name in re.findall(r"(\w+)\s*(?:=[^,]*)?(?:,|$)", body.strip()))


def self_test():
    got = list(declared("""
        namespace px::abi { namespace a { inline constexpr u32 x = 1u << 3, y = ~u32{0}; constexpr u32 f(u32 v) { return v; } }
        enum class E : u32 { p = 0, q, };
        struct S { u8 m[4], n : 2; union { struct { u16 d; } inner; GuestHandle<const u8> h; } u; union { u8 k; }; u8 pad1[3]; };
        } namespace px::abi::x86::z { inline constexpr u8 w = 1; }"""))
    assert got == ["a::x", "a::y", "E::p", "E::q", "S", "S.m", "S.n", "S.u", "S.k", "x86::z::w"], got


def main():
    self_test()
    rows = set().union(*(compared(read(path)) for path in [*HERE.glob("*_test.cpp"), HERE / "arm_check.cpp"]))
    names = [name for path in HEADERS.rglob("*.hpp") for name in declared(read(path))]
    missing = [name for name in names if name not in rows and name.split(".")[0] not in WITHOUT_COUNTERPART]
    stale = WITHOUT_COUNTERPART - set(names)
    for name in missing:
        print(f"{name}: no row in tests/unit/abi", file=sys.stderr)
    for name in stale:
        print(f"{name}: is excepted here but not declared", file=sys.stderr)
    if len(names) < 1500:
        sys.exit("the headers were not found or not understood")
    print(f"{len(names)} declarations, {len(rows)} compared names")
    return bool(missing or stale)


if __name__ == "__main__":
    sys.exit(main())
