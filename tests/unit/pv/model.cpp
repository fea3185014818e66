// A model of the type machine that knows no shortcuts.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/pv/model.hpp"

namespace px::pv {
namespace {

constexpr i64 bad = -static_cast<i64>(Errno::einval), busy = -static_cast<i64>(Errno::ebusy), denied = -static_cast<i64>(Errno::eperm);

u64 word(u64 frame, unsigned index) { return static_cast<const u64*>(to_virtual(Mfn{frame}))[index]; }

}  // namespace

bool Model::count_all() {
    uses_.clear();
    references_.clear();
    recounting_ = true;
    bool possible = true;
    for (const u64 frame : pins) possible &= take(frame, pin_types.at(frame)) == 0;
    for (const auto& [place, frame] : roots) possible &= take(frame, FrameType::l4) == 0;
    for (const u64 frame : descriptors) possible &= take(frame, FrameType::descriptors) == 0;
    recounting_ = false;
    // Tables that are none any more have no such entries.
    std::erase_if(linear, [&](const auto& at) { return !uses_.contains(at.first) || !is_page_table(uses_.at(at.first).type); });
    return possible;
}

void Model::learn_linear() {
    linear.clear();
    for (const u64 frame : frames_) {
        const FrameUse use = use_of(frame_of(Mfn{frame}));
        if (!use.validated || !is_page_table(use.type) || use.type == FrameType::l1) continue;
        for (unsigned i = 0; i < entries_per_table; ++i) {
            const Entry entry{word(frame, i)};
            if (use.type == FrameType::l4 && !is_guest_slot(i)) continue;
            if (!entry.present() || entry.mfn().raw == frame || !frames_.contains(entry.mfn().raw)) continue;
            if (use_of(frame_of(entry.mfn())).type == use.type) linear.insert({frame, i});
        }
    }
}

i64 Model::take(u64 frame, FrameType type) {
    if (!frames_.contains(frame)) return bad;
    Use& use = uses_[frame];
    if (use.count != 0) {
        if (use.type != type || !use.valid) return bad;
        ++use.count;
        ++references_[frame];
        return 0;
    }
    const Model before = *this;
    use = {type, 1, false, 0, 0};
    ++references_[frame];
    const i64 result = is_page_table(type) ? take_entries(frame, level_of(type)) : 0;
    if (result != 0) {
        Model undone = before;
        *this = std::move(undone);
        return result;
    }
    uses_[frame].valid = true;
    return 0;
}

i64 Model::take_entries(u64 table, Level level) {
    for (unsigned i = 0; i < entries_per_table; ++i) {
        if (level == Level::l4 && i >= 256 && i < 272) continue;
        if (const i64 result = take_entry(table, level, i, Entry{word(table, i)}); result != 0) return result;
    }
    return 0;
}

i64 Model::take_entry(u64 table, Level level, unsigned index, Entry entry) {
    if ((entry.raw & 1) == 0) return 0;
    if (level == Level::l1) return take_page(entry);
    constexpr u64 large_global_and_cache = 0x198;
    if ((entry.raw & large_global_and_cache) != 0) return bad;
    const u64 target = entry.mfn().raw;
    if (target == table) return entry.writable() ? bad : 0;
    if (recounting_ && linear.contains({table, index})) return take_linear(table, level, index, entry);
    const i64 result = take(target, type_of(below(level)));
    return result == bad && !recounting_ ? take_linear(table, level, index, entry) : result;
}

i64 Model::take_page(Entry entry) {
    constexpr u64 memory_types = 0x98;
    if ((entry.raw & memory_types) != 0) return bad;
    const u64 target = entry.mfn().raw;
    if (target == 0xff'ffff'ffff) return bad;
    if (!has_frame(entry.mfn())) return denied;
    if (!frames_.contains(target)) return busy;
    Use& use = uses_[target];
    if (entry.writable()) {
        if (use.count != 0 && use.type != FrameType::writable) return busy;
        use = {FrameType::writable, use.count + 1, true, 0, 0};
    }
    ++references_[target];
    return 0;
}

i64 Model::take_linear(u64 table, Level level, unsigned index, Entry entry) {
    const u64 target = entry.mfn().raw;
    if (recounting_) {
        // Which other tables name it is no question now: they were asked when it came about.
        if (const i64 result = take(target, type_of(level)); result != 0) return result;
    } else {
        if (entry.writable() || !frames_.contains(target)) return bad;
        Use& use = uses_[target];
        if (use.count == 0 || use.type != type_of(level) || !use.valid) return bad;
        if (uses_[table].named != 0 || use.names != 0) return bad;
        ++use.count;
        ++references_[target];
        linear.insert({table, index});
    }
    ++uses_[table].names;
    ++uses_[target].named;
    return 0;
}

i64 Model::foretell_use(u64 frame, FrameType type) {
    Model tried = *this;
    const i64 result = tried.take(frame, type);
    if (result == 0) linear = tried.linear;
    return result;
}

i64 Model::foretell_pin(u64 frame, FrameType type) {
    if (const i64 result = foretell_use(frame, type); result != 0) return result;
    return pins.contains(frame) ? bad : 0;
}

bool Model::may_write(u64 frame) const {
    const auto use = uses_.find(frame);
    return frames_.contains(frame) && (use == uses_.end() || use->second.count == 0 || use->second.type == FrameType::writable);
}

i64 Model::foretell_change(u64 frame, unsigned index, Entry value) {
    if (may_write(frame)) return 0;
    if (!frames_.contains(frame) || !is_page_table(uses_.at(frame).type)) return bad;
    const Level level = level_of(uses_.at(frame).type);
    if (level == Level::l4 && index >= 256 && index < 272) return bad;
    // The same page, with bits that change nothing that is counted.
    const Entry old{word(frame, index)};
    constexpr u64 counted = Entry::frame_bits | 0x9b;
    const u64 what = level == Level::l1 ? counted : counted | Entry::bit_global;
    if (old.present() && value.present() && ((old.raw ^ value.raw) & what) == 0) return 0;
    Model tried = *this;
    const i64 result = tried.take_entry(frame, level, index, value);
    if (result != 0) return result;
    if (!tried.linear.contains({frame, index}) || linear.contains({frame, index})) {
        // It was one before and may be one again: which it is now, the attempt without the old one says.
        Model without = *this;
        without.linear.erase({frame, index});
        (void)without.take_entry(frame, level, index, value);
        linear = without.linear;
        return 0;
    }
    linear = tried.linear;
    return 0;
}

}  // namespace px::pv
