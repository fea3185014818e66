// Typed characters.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/console/input.hpp"

#include "hypervisor/abi/xen.hpp"
#include "hypervisor/console/console.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px {
namespace {

constinit std::array<DebugKey, 32> keys{};
constinit usize key_count = 0;

void list_keys() {
    for (usize i = 0; i < key_count; ++i) log_reply(" '{}': {}", keys[i].key, keys[i].what);
}

}  // namespace

void register_debug_key(const DebugKey& key) {
    if (key_count < keys.size()) keys[key_count++] = key;
}

void run_debug_key(char key) {
    if (key == 'h') return list_keys();
    for (usize i = 0; i < key_count; ++i) {
        if (keys[i].key == key) return keys[i].run();
    }
    log_reply("no debug key '{}'; 'h' lists them", key);
}

void ConsoleInput::set_switch(char letter, bool to_hypervisor) {
    letter_ = letter;
    to_hypervisor_ = to_hypervisor;
}

void ConsoleInput::typed(char c) {
    const char switch_character = static_cast<char>(letter_ - 'a' + 1);
    if (c != switch_character) {
        // Fewer than three were no switch: whoever has the input gets them as well.
        for (; switches_ > 0; --switches_) deliver(switch_character);
        return deliver(c);
    }
    if (++switches_ < switch_count) return;
    switches_ = 0;
    to_hypervisor_ = !to_hypervisor_;
    log_reply("console input goes to {} (type Ctrl-{} three times to switch)", to_hypervisor_ ? "the hypervisor" : "the hardware domain",
              static_cast<char>(letter_ - 'a' + 'A'));
}

void ConsoleInput::deliver(char c) {
    if (to_hypervisor_) return run_debug_key(c);
    {
        auto queue = queue_.lock();
        if (queue->head - queue->tail == queue->data.size()) return;
        queue->data[queue->head++ % queue->data.size()] = c;
    }
    send_global_virq(static_cast<u32>(abi::Virq::console));
}

usize ConsoleInput::read(std::span<char> out) {
    auto queue = queue_.lock();
    usize count = 0;
    while (count < out.size() && queue->tail != queue->head) out[count++] = queue->data[queue->tail++ % queue->data.size()];
    return count;
}

}  // namespace px
