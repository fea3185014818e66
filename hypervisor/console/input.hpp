// Typed characters: the switch between hardware domain and hypervisor (Ctrl-A three times, or another letter), and its queue.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>

#include "hypervisor/base/spinlock.hpp"

namespace px {

/// A debug key of the hypervisor's own console (`h` lists them; `xl debug-keys` sends them as well).
struct DebugKey {
    char key;
    const char* what;
    void (*run)();
};
/// Registers a key for the life of the host; at most 32.
void register_debug_key(const DebugKey& key);
/// Runs the key's function; unknown keys are named in the log.
void run_debug_key(char key);

class ConsoleInput {
public:
    static constexpr unsigned switch_count = 3;

    /// The switch character is Ctrl and `letter`, a to z (at first: a); who has the input from now on.
    void set_switch(char letter, bool to_hypervisor);

    /// One character from a device; task context.
    void typed(char c);
    /// Takes characters that wait for the hardware domain.
    usize read(std::span<char> out);

private:
    struct Queue {
        std::array<char, 1024> data{};
        u32 head = 0, tail = 0;
    };
    void deliver(char c);

    char letter_ = 'a';
    unsigned switches_ = 0;  ///< switch characters in a row, held back until it is clear what they are
    bool to_hypervisor_ = false;
    Locked<Queue, LockRank::console> queue_;
};

}  // namespace px
