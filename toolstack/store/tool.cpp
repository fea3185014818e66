// xenstore: the store from the shell. One program; its first argument or its own name (xenstore-ls) says which applet.
//
// SPDX-License-Identifier: Apache-2.0
#include <getopt.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "toolstack/store/client.hpp"

namespace px::store {
namespace {

using call::Outcome;
using Arguments = std::span<char* const>;

struct Options {
    bool full_paths = false, permissions = false, tidy = false, raw = false, parents = false, recursive = false;
    int count = -1;  // of events, -1: no end
};

struct Applet {
    std::string_view name;
    const char* letters;  // getopt's
    const char* synopsis;
    usize least;  // arguments
    Outcome<> (*run)(Client&, const Options&, Arguments);
};

std::string join(const std::string& path, const std::string& name) { return path == "/" ? path + name : path + "/" + name; }

/// Bytes that a terminal shouldn't get are written as \ooo, the backslash as \\.
std::string printable(std::string_view value) {
    std::string text;
    for (char c : value) {
        unsigned char byte = static_cast<unsigned char>(c);
        if (c == '\\') text += "\\\\";
        else if (c == '\n') text += "\\n";
        else if (c == '\t') text += "\\t";
        else if (c == '\r') text += "\\r";
        else if (byte >= 0x20 && byte < 0x7f) text += c;
        else {
            char octal[8];
            std::snprintf(octal, sizeof octal, "\\%03o", byte);
            text += octal;
        }
    }
    return text;
}

/// The reverse of printable().
std::string unescaped(std::string_view text) {
    std::string value;
    for (usize i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            value += text[i];
            continue;
        }
        char next = text[++i];
        if (next >= '0' && next <= '7') {
            int byte = 0;
            usize end = std::min(i + 3, text.size());
            for (; i < end && text[i] >= '0' && text[i] <= '7'; ++i) byte = byte * 8 + (text[i] - '0');
            --i;
            value += static_cast<char>(byte);
        } else {
            value += next == 'n' ? '\n' : next == 't' ? '\t' : next == 'r' ? '\r' : next;
        }
    }
    return value;
}

std::string permissions_text(const Permissions& permissions) {
    std::string text;
    for (Permission permission : permissions) text += (text.empty() ? "" : ",") + to_string(permission);
    return text;
}

Outcome<> read(Client& client, const Options& options, Arguments paths) {
    for (const char* path : paths) {
        std::string value = TRY(client.read(path));
        if (options.parents) std::printf("%s: ", path);
        std::string shown = options.raw ? value : printable(value);
        std::fwrite(shown.data(), 1, shown.size(), stdout);
        if (!options.raw || paths.size() > 1) std::putchar('\n');
    }
    return {};
}

Outcome<> write(Client& client, const Options& options, Arguments pairs) {
    if (pairs.size() % 2) return call::failure(EINVAL, "each key needs a value");
    return client.transact([&](u32 transaction) -> Outcome<> {
        for (usize i = 0; i < pairs.size(); i += 2) {
            TRY(client.write(pairs[i], options.raw ? std::string(pairs[i + 1]) : unescaped(pairs[i + 1]), transaction));
        }
        return {};
    });
}

Outcome<> list(Client& client, const Options& options, Arguments paths) {
    for (const char* path : paths) {
        for (const std::string& name : TRY(client.list(path))) { std::printf("%s\n", (options.parents ? join(path, name) : name).c_str()); }
    }
    return {};
}

Outcome<> show_tree(Client& client, const Options& options, const std::string& path, int level) {
    auto names = client.list(path);
    if (!names.ok()) {  // gone meanwhile, or closed to us: the rest is still worth showing
        if (level == 0 || names.error().code != ENOENT) std::fprintf(stderr, "xenstore-ls: %s\n", names.error().text.c_str());
        return level == 0 ? Outcome<>(Err{names.error()}) : Outcome<>();
    }
    for (const std::string& name : *names) {
        std::string child = join(path, name);
        auto value = client.read(child);
        std::string shown = options.full_paths ? child : std::string(static_cast<usize>(level), ' ') + name;
        shown += value.ok() ? " = \"" + printable(*value) + "\"" : ":";
        if (auto permissions = client.permissions(child); options.permissions && permissions.ok()) {
            shown += "   (" + permissions_text(*permissions) + ")";
        }
        std::printf("%s\n", shown.c_str());
        TRY(show_tree(client, options, child, level + 1));
    }
    return {};
}

Outcome<> ls(Client& client, const Options& options, Arguments paths) {
    char root[] = "/";
    char* const whole[] = {root};
    for (const char* path : paths.empty() ? Arguments(whole) : paths) TRY(show_tree(client, options, path, 0));
    return {};
}

/// With -t: also the ancestors that have nothing else left.
Outcome<> remove_tidily(Client& client, const std::string& path, u32 transaction) {
    TRY(client.remove(path, transaction));
    for (std::string parent = path; parent.rfind('/') != std::string::npos && parent.rfind('/') > 0;) {
        parent.resize(parent.rfind('/'));
        auto value = client.read(parent, transaction);
        auto children = client.list(parent, transaction);
        if (!value.ok() || !children.ok() || !value->empty() || !children->empty()) return {};
        TRY(client.remove(parent, transaction));
    }
    return {};
}

Outcome<> rm(Client& client, const Options& options, Arguments paths) {
    return client.transact([&](u32 transaction) -> Outcome<> {
        for (const char* path : paths) {
            TRY(client.read(path, transaction));  // saying that there was nothing to remove helps with typing errors
            if (options.tidy) TRY(remove_tidily(client, path, transaction));
            else TRY(client.remove(path, transaction));
        }
        return {};
    });
}

Outcome<> exists(Client& client, const Options&, Arguments paths) {
    for (const char* path : paths) TRY(client.read(path));
    return {};
}

Outcome<> watch(Client& client, const Options& options, Arguments paths) {
    for (const char* path : paths) TRY(client.watch(path, path));
    for (int seen = 0; options.count < 0 || seen < options.count; ++seen) {
        auto event = TRY(client.next_event(-1));
        if (!event) break;
        std::printf("%s\n", event->path.c_str());
        std::fflush(stdout);
    }
    return {};
}

Outcome<> set_permissions_below(Client& client, const std::string& path, const Permissions& permissions, u32 transaction) {
    TRY(client.set_permissions(path, permissions, transaction));
    for (const std::string& name : TRY(client.list(path, transaction))) {
        TRY(set_permissions_below(client, join(path, name), permissions, transaction));
    }
    return {};
}

Outcome<> chmod(Client& client, const Options& options, Arguments arguments) {
    std::string path = arguments[0];
    Permissions permissions;
    for (const char* text : arguments.subspan(1)) {
        auto permission = parse_permission(text);
        if (!permission) return call::failure(EINVAL, std::string("'") + text + "' is no permission such as n0, r5, w5 or b5");
        permissions.push_back(*permission);
    }
    return client.transact([&](u32 transaction) -> Outcome<> {
        if (options.recursive) TRY(set_permissions_below(client, path, permissions, transaction));
        else TRY(client.set_permissions(path, permissions, transaction));
        for (std::string up = path; options.parents && up.rfind('/') != std::string::npos && up.rfind('/') > 0;) {
            up.resize(up.rfind('/'));
            TRY(client.set_permissions(up, permissions, transaction));
        }
        return {};
    });
}

Outcome<> control(Client& client, const Options&, Arguments arguments) {
    std::string payload;
    for (const char* argument : arguments) payload += std::string(argument) + '\0';
    std::string reply = TRY(client.request(MessageType::control, payload));
    std::printf("%s\n", reply.c_str());
    return {};
}

constexpr Applet applets[] = {
    {"read", "hpsR", "[-p] [-s] [-R] KEY…", 1, read},
    {"write", "hsR", "[-s] [-R] KEY VALUE…", 2, write},
    {"list", "hps", "[-p] [-s] KEY…", 1, list},
    {"ls", "hfps", "[-f] [-p] [-s] [KEY…]", 0, ls},
    {"rm", "hst", "[-s] [-t] KEY…", 1, rm},
    {"exists", "hps", "[-s] KEY…", 1, exists},
    {"watch", "hn:s", "[-n COUNT] [-s] KEY…", 1, watch},
    {"chmod", "hurs", "[-u] [-r] [-s] KEY MODE…", 2, chmod},
    {"control", "hs", "COMMAND [ARGUMENT…]", 1, control},
};

int usage(std::FILE* where, const Applet* only = nullptr) {
    for (const Applet& applet : applets) {
        if (!only || only == &applet) std::fprintf(where, "Usage: xenstore-%s %s\n", std::string(applet.name).c_str(), applet.synopsis);
    }
    return where == stdout ? 0 : 1;
}

bool apply_option(Options& options, const Applet& applet, int letter) {
    switch (letter) {
    case 'f': options.full_paths = true; return true;
    case 'p': (applet.run == ls ? options.permissions : options.parents) = true; return true;
    case 't': options.tidy = true; return true;
    case 'R': options.raw = true; return true;
    case 'u': options.parents = true; return true;
    case 'r': options.recursive = true; return true;
    case 's': return true;  // the socket, as always in dom0
    case 'n': options.count = std::atoi(optarg); return true;
    default: return false;
    }
}

int run(const Applet& applet, int count, char** arguments) {
    Options options;
    for (int letter; (letter = getopt(count, arguments, applet.letters)) != -1;) {
        if (letter == 'h') return usage(stdout, &applet);
        if (!apply_option(options, applet, letter)) return usage(stderr, &applet);
    }
    Arguments rest(arguments + optind, static_cast<usize>(count - optind));
    if (rest.size() < applet.least) return usage(stderr, &applet);
    auto client = Client::open();
    auto result = client.ok() ? applet.run(*client, options, rest) : Outcome<>(Err{client.error()});
    if (result.ok()) return 0;
    if (applet.run != exists && applet.run != ls) {
        std::fprintf(stderr, "xenstore-%s: %s\n", std::string(applet.name).c_str(), result.error().text.c_str());
    }
    return 1;
}

int start(int count, char** arguments) {
    std::string_view name = arguments[0];
    name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
    if (name.starts_with("xenstore-")) {
        name.remove_prefix(9);
    } else {
        if (count < 2) return usage(stderr);
        name = arguments[1];
        --count, ++arguments;
    }
    for (const Applet& applet : applets) {
        if (applet.name == name) return run(applet, count, arguments);
    }
    return usage(stderr);
}

}  // namespace
}  // namespace px::store

int main(int count, char** arguments) { return px::store::start(count, arguments); }
