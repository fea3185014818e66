// xl manual: the manual pages and bash's completion, made from the tables of commands and keys. The build installs them.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/manual.hpp"
#include "toolstack/xl/command.hpp"

namespace px::xl {

namespace {

/// Text that roff takes literally.
std::string roff(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c == '-') out += "\\-";
        else if (c == '\\') out += "\\e";
        else out += c;
    }
    return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

std::string heading(std::string_view name, std::string_view section, std::string_view about) {
    return ".TH " + std::string(name) + " " + std::string(section) + " \"\" \"Philoxen\"\n.SH NAME\n" + roff(name) + " \\- " + roff(about) +
           "\n";
}

std::string option_forms(const Option& option) {
    std::string text;
    if (option.letter > ' ') text = "\\fB\\-" + std::string(1, option.letter) + "\\fR";
    if (!option.name.empty()) text += (text.empty() ? "" : ", ") + ("\\fB\\-\\-" + roff(option.name)) + "\\fR";
    if (!option.value.empty()) text += " \\fI" + roff(option.value) + "\\fR";
    return text;
}

std::string entry(const Command& command) {
    std::string text = ".TP\n\\fB" + roff(command.name) + "\\fR" + (command.options.empty() ? "" : " [OPTION...]");
    if (!command.synopsis.empty()) text += " \\fI" + roff(command.synopsis) + "\\fR";
    text += "\n" + roff(command.help) + ".\n";
    if (command.options.empty()) return text;
    text += ".RS\n";
    for (const Option& option : command.options) text += ".TP\n" + option_forms(option) + "\n" + roff(option.help) + "\n";
    return text + ".RE\n";
}

std::string page_of_xl() {
    std::string text = heading("xl", "1", "manages the domains of this machine");
    text += ".SH SYNOPSIS\n\\fBxl\\fR [\\fB\\-v\\fR] [\\fB\\-N\\fR] \\fICOMMAND\\fR [OPTION...] [ARGUMENT...]\n";
    text +=
        ".SH DESCRIPTION\nA \\fIDOMAIN\\fR is a number or a name. With \\fB\\-N\\fR nothing is done, only said. The exit status is 0 "
        "when all went well, else 1, and standard error says why.\n.SH COMMANDS\n";
    for (const Command& command : commands()) text += entry(command);
    text +=
        ".SH FILES\n.TP\n\\fI/var/cache/xen/kernels\\fR\nThe last kernels of guests, unpacked, so that the next guest of the same "
        "kernel starts sooner. Without this folder, or where others than root may use it, each kernel is unpacked anew.\n";
    return text + ".SH SEE ALSO\nxl.cfg(5), xl.conf(5)\n";
}

std::string page_of_xl_cfg() {
    return heading("xl.cfg", "5", "the configuration of a domain") +
           ".SH DESCRIPTION\nA line for each setting, KEY = VALUE. A value is a string in single or double quotes, a number (decimal, "
           "0x, or octal with a leading 0), or a list [ VALUE, ... ], which may go over several lines. KEY += VALUE adds to a string or "
           "list. "
           "Settings may also be separated by ';'; # begins a comment. \\fBxl check\\fR \\fIFILE\\fR says what is wrong with a file.\n"
           ".SH KEYS\n" +
           xlcfg::manual_keys() + ".SH SEE ALSO\nxl(1), xl.conf(5)\n";
}

std::string page_of_xl_conf() {
    return heading("xl.conf", "5", "what holds for all domains") +
           ".SH DESCRIPTION\n/etc/xen/xl.conf, in the language of xl.cfg(5). Other keys of Xen's xl.conf have no effect.\n.SH KEYS\n"
           ".TP\n\\fBvif.default.bridge\\fR=\\fISTRING\\fR\nBridge of network cards that name none. Default: xenbr0.\n"
           ".TP\n\\fBvif.default.script\\fR=\\fIPATH\\fR\nHot\\-plug script of network cards that name none. Default: vif\\-bridge.\n"
           ".TP\n\\fBvif.default.gatewaydev\\fR=\\fISTRING\\fR\nWhat vif\\-route takes dom0's address from.\n"
           ".SH SEE ALSO\nxl(1), xl.cfg(5)\n";
}

/// Commands, then a command's options, then the guests there are, or files.
std::string bash_completion() {
    std::string names, cases;
    for (const Command& command : commands()) {
        names += (names.empty() ? "" : " ") + std::string(command.name);
        std::string words;
        for (const Option& option : command.options) {
            if (option.letter > ' ') words += " -" + std::string(1, option.letter);
            if (!option.name.empty()) words += " --" + std::string(option.name);
        }
        const bool wants_domain = command.synopsis.find("DOMAIN") != std::string_view::npos;
        cases += "    " + std::string(command.name) + ") options='" + words.substr(words.empty() ? 0 : 1) + "'" +
                 (wants_domain ? " domains=1" : "") + " ;;\n";
    }
    return "# Completion of xl, made by `xl manual bash`.\n"
           "_xl() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} options='' domains=''\n"
           "    if ((COMP_CWORD == 1)); then COMPREPLY=($(compgen -W '" +
           names +
           " help' -- \"$word\")); return; fi\n"
           "    case ${COMP_WORDS[1]} in\n"
           "    help) options='" +
           names + "' ;;\n" + cases +
           "    esac\n"
           "    [[ $domains && $word != -* ]] && options+=\" $(xl vm-list 2>/dev/null | awk 'NR > 1 { print $3 }')\"\n"
           "    COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
           "}\n"
           "complete -o default -F _xl xl\n";
}

struct Page {
    std::string_view name;
    std::string (*text)();
};

constexpr Page pages[] = {{"xl", page_of_xl}, {"xl.cfg", page_of_xl_cfg}, {"xl.conf", page_of_xl_conf}, {"bash", bash_completion}};

Outcome<int> run(const Arguments& arguments) {
    for (const Page& page : pages) {
        if (page.name != arguments.word(0)) continue;
        const std::string text = page.text();
        std::fwrite(text.data(), 1, text.size(), stdout);
        return exit_success;
    }
    return Err{Error{EINVAL, "there is no page '" + arguments.word(0) + "': xl, xl.cfg, xl.conf or bash"}};
}

}  // namespace

const Command manual_command{"manual", "xl|xl.cfg|xl.conf|bash", "Prints a manual page's source, or bash's completion of xl", {}, 1, 1,
                             run};

}  // namespace px::xl
