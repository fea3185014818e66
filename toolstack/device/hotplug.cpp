// Hot-plug scripts.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/device/hotplug.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

extern char** environ;

namespace px::device {

using call::Error;
using call::Outcome;

namespace {

using Clock = std::chrono::steady_clock;

constexpr usize most_output = 4096;

std::string lock_path() {
    const char* directory = std::getenv("XEN_RUN_DIR");
    return std::string(directory ? directory : "/run") + "/xen-hotplug.lock";
}

/// What a started script says, until it ends.
class Child {
public:
    Child(pid_t pid, call::Fd output) : pid_(pid), output_(std::move(output)) {}

    /// Its exit status as waitpid() has it; nothing when the time was up, and it is dead then.
    std::optional<int> finish(Clock::time_point deadline) {
        bool in_time = true;
        while (in_time && read_some(deadline, in_time)) {}
        if (!in_time) kill(-pid_, SIGKILL);
        int status = 0;
        while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
        return in_time ? std::optional(status) : std::nullopt;
    }
    /// The last line that isn't empty.
    std::string last_words() const {
        const usize end = said_.find_last_not_of(" \n\t");
        if (end == std::string::npos) return {};
        const usize start = said_.rfind('\n', end);
        return said_.substr(start == std::string::npos ? 0 : start + 1, end + 1 - (start == std::string::npos ? 0 : start + 1));
    }

private:
    /// False at the end of the output.
    bool read_some(Clock::time_point deadline, bool& in_time) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd waiting{output_.get(), POLLIN, 0};
        if (left <= 0 || poll(&waiting, 1, static_cast<int>(left)) == 0) return in_time = false;
        char bytes[512];
        const ssize_t count = read(output_.get(), bytes, sizeof bytes);
        if (count < 0) return errno == EINTR;
        said_.append(bytes, static_cast<usize>(count));
        if (said_.size() > most_output) said_.erase(0, said_.size() - most_output);
        return count > 0;
    }

    pid_t pid_;
    call::Fd output_;
    std::string said_;
};

std::vector<std::string> environment_of(const Device& device, const std::string& script) {
    std::vector<std::string> variables;
    for (char** variable = environ; *variable; ++variable) variables.emplace_back(*variable);
    variables.push_back("XENBUS_PATH=" + device.back());
    variables.push_back(std::string("XENBUS_TYPE=") + name_of(device.kind));
    variables.push_back("XENBUS_BASE_PATH=backend");
    variables.push_back("script=" + script);
    if (device.kind == Kind::vif) variables.push_back("vif=vif" + std::to_string(device.guest.raw) + "." + std::to_string(device.id));
    return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

/// Scripts run one at a time, so that two don't take the same loop device. The lock goes with the process that holds it: this one, and the one that
/// waits for the script, so that whoever cleans up after a killed xl waits for the script that it left behind.
Outcome<call::Fd> take_turn() {
    const std::string path = lock_path();
    call::Fd lock{open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (!lock) return call::failure("can't open the hot-plug scripts' lock " + path);
    while (flock(lock.get(), LOCK_EX) < 0) {
        if (errno != EINTR) return call::failure("can't wait for other hot-plug scripts");
    }
    return lock;
}

/// In a process of its own, whose group the script belongs to so that both can be killed: 0 if the script ends well.
[[noreturn]] void run_and_wait(char** words, char** variables, int output) {
    setpgid(0, 0);
    const pid_t script = fork();
    if (script == 0) {
        const int nowhere = open("/dev/null", O_RDONLY);
        dup2(nowhere, 0);
        for (int standard : {1, 2}) dup2(output, standard);
        execve(words[0], words, variables);
        _exit(127);
    }
    close(output);
    int status = 1;
    while (script > 0 && waitpid(script, &status, 0) < 0 && errno == EINTR) {}
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

Outcome<Child> start(const Device& device, const std::string& script, Plug plug) {
    std::vector<std::string> words{script}, variables = environment_of(device, script);
    if (device.kind == Kind::vif) words.insert(words.end(), {plug == Plug::in ? "online" : "offline", "type_if=vif"});
    else words.push_back(plug == Plug::in ? "add" : "remove");
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return call::failure("can't start the hot-plug script " + script);
    call::Fd read_end{ends[0]}, write_end{ends[1]};
    if (access(script.c_str(), X_OK) < 0) return call::failure("can't start the hot-plug script " + script);
    auto arguments = pointers_to(words), environment = pointers_to(variables);
    const pid_t pid = fork();
    if (pid < 0) return call::failure("can't start the hot-plug script " + script);
    if (pid == 0) run_and_wait(arguments.data(), environment.data(), write_end.get());
    setpgid(pid, pid);
    return Child(pid, std::move(read_end));
}

}  // namespace

std::string script_path(const std::string& name) { return name.starts_with('/') ? name : std::string(script_directory) + "/" + name; }

Outcome<> run_script(store::Client& store, const Device& device, const std::string& script, Plug plug, unsigned seconds) {
    const call::Fd turn = TRY(take_turn());
    Child child = TRY(start(device, script, plug));
    const auto status = child.finish(Clock::now() + std::chrono::seconds(seconds));
    if (!status) {
        return Err{
            Error{ETIMEDOUT, "the hot-plug script " + script + " didn't come to an end within " + std::to_string(seconds) + " seconds"}};
    }
    const std::string complaint = TRY(value_of(store, device.back() + "/hotplug-error"));
    const std::string words = complaint.empty() ? child.last_words() : complaint;
    const bool fine = WIFEXITED(*status) && WEXITSTATUS(*status) == 0;
    if (fine && TRY(value_of(store, device.back() + "/hotplug-status")) != "error") return {};
    return Err{Error{EIO, "the hot-plug script " + script + " failed" + (words.empty() ? "" : ": " + words)}};
}

}  // namespace px::device
