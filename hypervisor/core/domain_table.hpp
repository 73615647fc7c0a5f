// SPDX-License-Identifier: Apache-2.0
// DomainTable: id → domain. Two levels of pointers, so that thousands of ids cost one frame per
// 512. Ids ascend and wrap as Xen's do, so that an id is not used again soon. The caller locks
// changes; find() may run at any time.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "hypervisor/core/platform.hpp"

namespace hyp {

inline constexpr std::uint16_t last_domain_id =
    32751;  // DOMID_FIRST_RESERVED - 1, less what Xen keeps

template <typename P>
class DomainTable {
 public:
  static constexpr unsigned slots_per_page = 512;
  using Page = std::array<std::atomic<Domain<P>*>, slots_per_page>;

  Domain<P>* find(DomId id) const {
    const unsigned number = id.value();
    if (number > last_domain_id) {
      return nullptr;
    }
    Page* const page = pages_[number / slots_per_page].load(std::memory_order_acquire);
    return page == nullptr ? nullptr
                           : (*page)[number % slots_per_page].load(std::memory_order_acquire);
  }

  // The next free id after the last one given; nospc when all are in use.
  Result<DomId> next_free() const {
    unsigned number = last_;
    for (unsigned tries = 0; tries < last_domain_id; ++tries) {
      number = number >= last_domain_id ? 1 : number + 1;
      const DomId id(static_cast<std::uint16_t>(number));
      if (find(id) == nullptr) {
        return id;
      }
    }
    return fail(Errno::nospc);
  }

  bool has_page(DomId id) const {
    return pages_[id.value() / slots_per_page].load(std::memory_order_relaxed) != nullptr;
  }
  // `zeroed` is a frame that the table keeps.
  void add_page(DomId id, std::byte* zeroed) {
    // SAFETY: a zeroed frame is a page of null pointers.
    pages_[id.value() / slots_per_page].store(reinterpret_cast<Page*>(zeroed),
                                              std::memory_order_release);
  }
  void insert(DomId id, Domain<P>* domain) {
    slot(id).store(domain, std::memory_order_release);
    last_ = id.value();
    ++count_;
  }
  void remove(DomId id) {
    slot(id).store(nullptr, std::memory_order_release);
    --count_;
  }
  unsigned count() const { return count_; }

  // The first domain with an id of at least `from`, or null.
  Domain<P>* at_or_after(unsigned from) const {
    for (unsigned number = from; number <= last_domain_id;) {
      Page* const page = pages_[number / slots_per_page].load(std::memory_order_acquire);
      if (page == nullptr) {
        number = (number / slots_per_page + 1) * slots_per_page;
        continue;
      }
      Domain<P>* const domain = (*page)[number % slots_per_page].load(std::memory_order_acquire);
      if (domain != nullptr) {
        return domain;
      }
      ++number;
    }
    return nullptr;
  }

 private:
  std::atomic<Domain<P>*>& slot(DomId id) {
    return (*pages_[id.value() / slots_per_page].load(
        std::memory_order_relaxed))[id.value() % slots_per_page];
  }

  std::array<std::atomic<Page*>, last_domain_id / slots_per_page + 1> pages_{};
  unsigned last_ = 0;
  unsigned count_ = 0;
};

}  // namespace hyp
