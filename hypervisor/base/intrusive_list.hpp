// A doubly linked list whose links live in its elements: no allocation, O(1) insertion and removal.
//
// An element type derives from ListHook<Tag>, once per list that it can be on at the same time:
//     struct Page : ListHook<struct FreeTag>, ListHook<struct DirtyTag> {};
//     IntrusiveList<Page, FreeTag> free_pages;
// The list never owns its elements; whoever destroys an element or a list unlinks first, and both assert it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iterator>

#include "hypervisor/console/log.hpp"

namespace px {

template <class T, class Tag>
class IntrusiveList;

template <class Tag = void>
class ListHook {
public:
    constexpr ListHook() = default;
    ListHook(const ListHook&) = delete;
    ListHook& operator=(const ListHook&) = delete;
    ~ListHook() { PX_ASSERT(!linked()); }

    bool linked() const { return next_ != nullptr; }

private:
    template <class T, class>
    friend class IntrusiveList;
    ListHook* next_ = nullptr;
    ListHook* previous_ = nullptr;
};

template <class T, class Tag = void>
class IntrusiveList {
    using Hook = ListHook<Tag>;

public:
    class Iterator {
    public:
        using iterator_category = std::bidirectional_iterator_tag;
        using value_type = T;
        using difference_type = std::ptrdiff_t;
        using pointer = T*;
        using reference = T&;

        Iterator() = default;
        T& operator*() const { return static_cast<T&>(*hook_); }
        T* operator->() const { return &**this; }
        Iterator& operator++() {
            hook_ = hook_->next_;
            return *this;
        }
        Iterator& operator--() {
            hook_ = hook_->previous_;
            return *this;
        }
        Iterator operator++(int) {
            Iterator old = *this;
            ++*this;
            return old;
        }
        Iterator operator--(int) {
            Iterator old = *this;
            --*this;
            return old;
        }
        bool operator==(const Iterator&) const = default;

    private:
        friend class IntrusiveList;
        explicit Iterator(Hook* hook) : hook_(hook) {}
        Hook* hook_ = nullptr;
    };

    /// The head is a hook that points at itself: no end of the list is a special case.
    constexpr IntrusiveList() { head_.next_ = head_.previous_ = &head_; }
    IntrusiveList(const IntrusiveList&) = delete;
    IntrusiveList& operator=(const IntrusiveList&) = delete;
    ~IntrusiveList() {
        PX_ASSERT(empty());
        head_.next_ = head_.previous_ = nullptr;
    }

    bool empty() const { return head_.next_ == &head_; }
    /// O(n).
    usize size() const {
        usize count = 0;
        for (const Hook* hook = head_.next_; hook != &head_; hook = hook->next_) ++count;
        return count;
    }

    void push_back(T& element) { link(element, head_); }
    void push_front(T& element) { link(element, *head_.next_); }
    void insert_before(T& position, T& element) { link(element, static_cast<Hook&>(position)); }

    /// The element must be on this list.
    void erase(T& element) {
        Hook& hook = element;
        PX_ASSERT(hook.linked());
        hook.previous_->next_ = hook.next_;
        hook.next_->previous_ = hook.previous_;
        hook.next_ = hook.previous_ = nullptr;
    }

    T* front() { return empty() ? nullptr : &static_cast<T&>(*head_.next_); }
    T* back() { return empty() ? nullptr : &static_cast<T&>(*head_.previous_); }
    T* pop_front() {
        T* element = front();
        if (element != nullptr) erase(*element);
        return element;
    }

    /// Moves all of `other` to the end of this list. O(1).
    void splice_back(IntrusiveList& other) {
        PX_ASSERT(this != &other);
        if (other.empty()) return;
        other.head_.next_->previous_ = head_.previous_;
        head_.previous_->next_ = other.head_.next_;
        other.head_.previous_->next_ = &head_;
        head_.previous_ = other.head_.previous_;
        other.head_.next_ = other.head_.previous_ = &other.head_;
    }

    Iterator begin() { return Iterator{head_.next_}; }
    Iterator end() { return Iterator{&head_}; }

private:
    static void link(Hook& hook, Hook& successor) {
        PX_ASSERT(!hook.linked());
        hook.next_ = &successor;
        hook.previous_ = successor.previous_;
        successor.previous_->next_ = &hook;
        successor.previous_ = &hook;
    }

    Hook head_;
};

}  // namespace px
