// The hypervisor's heap: power-of-two size classes, each a list of free cells cut from frames.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/mm/heap.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/mm/frame_allocator.hpp"

namespace px {
namespace {

constexpr unsigned smallest_shift = 5, largest_shift = 11;  // 32 … 2048 bytes
constexpr usize largest_cell = usize{1} << largest_shift;

struct Cell {
    Cell* next;
    Cell* prev;
};

/// One frame cut into cells of one size. Frame::order holds the class, Frame::use how many cells are live.
class SizeClass {
public:
    void* take(unsigned shift) {
        if (free_ == nullptr && !grow(shift)) return nullptr;
        Cell* cell = free_;
        unlink(cell);
        frame_of(frame(cell)).use.fetch_add(1, std::memory_order_relaxed);
        std::memset(cell, 0, usize{1} << shift);
        return cell;
    }

    void give(void* memory, unsigned shift) {
        Cell* cell = static_cast<Cell*>(memory);
        link(cell);
        const Mfn home = frame(cell);
        if (frame_of(home).use.fetch_sub(1, std::memory_order_relaxed) == 1) shrink(home, shift);
    }

private:
    static Mfn frame(const void* cell) { return to_mfn(arch::to_physical(cell)); }

    void link(Cell* cell) {
        cell->prev = nullptr;
        cell->next = free_;
        if (free_ != nullptr) free_->prev = cell;
        free_ = cell;
    }
    void unlink(Cell* cell) {
        if (cell->prev != nullptr) cell->prev->next = cell->next;
        else free_ = cell->next;
        if (cell->next != nullptr) cell->next->prev = cell->prev;
    }

    bool grow(unsigned shift) {
        const auto fresh = allocate_frames(0);
        if (!fresh) return false;
        char* memory = static_cast<char*>(to_virtual(*fresh));
        for (usize at = 0; at < page_size; at += usize{1} << shift) link(reinterpret_cast<Cell*>(memory + at));
        return true;
    }
    /// Returns an empty frame at once, so that free pages after teardown equal those before.
    void shrink(Mfn home, unsigned shift) {
        char* memory = static_cast<char*>(to_virtual(home));
        for (usize at = 0; at < page_size; at += usize{1} << shift) unlink(reinterpret_cast<Cell*>(memory + at));
        free_frames(home, 0);
    }

    Cell* free_ = nullptr;
};

constinit Locked<std::array<SizeClass, largest_shift + 1>, LockRank::heap> classes;
constinit Locked<HeapType*, LockRank::heap> types{nullptr};

unsigned shift_of(usize bytes) { return std::max(smallest_shift, static_cast<unsigned>(std::bit_width(bytes - 1))); }
unsigned order_of(usize bytes) { return static_cast<unsigned>(std::bit_width((bytes - 1) >> page_shift)); }

}  // namespace

void* heap_allocate(usize bytes) {
    PX_ASSERT(bytes != 0);
    if (bytes > largest_cell) {
        const auto block = allocate_frames(order_of(bytes));
        return block ? to_virtual(*block) : nullptr;
    }
    auto guard = classes.lock();
    const unsigned shift = shift_of(bytes);
    return (*guard)[shift].take(shift);
}

void heap_free(void* memory, usize bytes) {
    if (memory == nullptr) return;
    if (bytes > largest_cell) return free_frames(to_mfn(arch::to_physical(memory)), order_of(bytes));
    auto guard = classes.lock();
    const unsigned shift = shift_of(bytes);
    (*guard)[shift].give(memory, shift);
}

void register_heap_type(HeapType& type) {
    auto head = types.lock();
    if (type.registered.exchange(true)) return;
    type.next = *head;
    *head = &type;
}

const HeapType* first_heap_type() { return *types.lock(); }

}  // namespace px
