// SPDX-License-Identifier: Apache-2.0
// Fifo<P>: the event words of a domain that uses the FIFO event channel ABI
// (public/event_channel.h). They lie in pages of the guest, which may change any of them at any
// time. The caller holds the event lock.
#pragma once

#include <array>
#include <cstdint>

#include "hypervisor/core/platform.hpp"
#include "hypervisor/core/shared_page.hpp"

namespace hyp {

template <typename P>
class Fifo {
 public:
  static constexpr std::uint32_t words_per_page = xl::page_size / sizeof(event_word_t);
  static constexpr unsigned max_pages = EVTCHN_FIFO_NR_CHANNELS / words_per_page;
  static constexpr event_word_t link_mask = (1U << EVTCHN_FIFO_LINK_BITS) - 1;
  static constexpr event_word_t linked = 1U << EVTCHN_FIFO_LINKED;

  bool enabled() const { return enabled_; }
  void enable() { enabled_ = true; }

  // nospc: there are as many pages as the ABI has ports for.
  Result<void> add_page(P& platform, Mfn mfn) {
    if (count_ == max_pages) {
      return fail(Errno::nospc);
    }
    // SAFETY: a whole frame, aligned; only accessed with atomics.
    pages_[count_++] = reinterpret_cast<event_word_t*>(platform.frame(mfn));
    return {};
  }
  std::uint32_t word_count() const { return count_ * words_per_page; }
  bool pins(P& platform, Mfn mfn) const {
    for (unsigned i = 0; i < count_; ++i) {
      if (platform.frame_of(pages_[i]) == mfn) {
        return true;
      }
    }
    return false;
  }

  // The word of a port; null: its page is not there yet.
  event_word_t* word(std::uint32_t port) const {
    return port / words_per_page < count_ ? pages_[port / words_per_page] + port % words_per_page
                                          : nullptr;
  }
  bool is_pending(std::uint32_t port) const {
    const event_word_t* const at = word(port);
    return at != nullptr && shared_word::test_bit(at, EVTCHN_FIFO_PENDING);
  }
  void clear_pending(std::uint32_t port) {
    if (event_word_t* const at = word(port); at != nullptr) {
      shared_word::test_and_clear(at, EVTCHN_FIFO_PENDING);
    }
  }
  // Clears the mask; true if the event is pending and has to be linked.
  bool unmask(std::uint32_t port) {
    event_word_t* const at = word(port);
    if (at == nullptr) {
      return false;
    }
    shared_word::test_and_clear(at, EVTCHN_FIFO_MASKED);
    return shared_word::test_bit(at, EVTCHN_FIFO_PENDING);
  }

  // Lets the word of the tail point to `port`, if the tail is still linked. A guest that keeps
  // changing it meanwhile only hurts itself: after some tries its queue starts anew.
  bool link_behind(std::uint32_t tail, std::uint32_t port) {
    event_word_t* const at = word(tail);
    if (at == nullptr) {
      return false;
    }
    event_word_t old = shared_word::load<event_word_t>(at);
    for (unsigned tries = 0; tries < 16 && (old & linked) != 0; ++tries) {
      const event_word_t linking = (old & ~link_mask) | port;
      if (__atomic_compare_exchange_n(at, &old, linking, false, __ATOMIC_SEQ_CST,
                                      __ATOMIC_SEQ_CST)) {
        return true;
      }
    }
    return false;
  }

 private:
  bool enabled_ = false;
  unsigned count_ = 0;
  std::array<event_word_t*, max_pages> pages_{};
};

}  // namespace hyp
