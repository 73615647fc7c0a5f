// SPDX-License-Identifier: Apache-2.0
// GrantEntry: one entry of a grant table's shared frames, in either version of the ABI
// (public/grant_table.h). The guest writes it at any time: it is copied once, checked, and taken
// into use by a compare-and-exchange.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hypervisor/core/shared_page.hpp"
#include "hypervisor/core/xen_abi.hpp"

namespace hyp {

// What an entry says. `word` is the raw flags and domid, for the exchange.
struct GrantTerms {
  std::uint32_t word = 0;
  std::uint16_t flags = 0;
  std::uint16_t domain = 0;
  std::uint64_t gfn = 0;
  std::uint16_t offset = 0;  // of a sub-page grant
  std::uint16_t length = 4096;

  unsigned type() const { return flags & GTF_type_mask; }
  bool read_only() const { return (flags & GTF_readonly) != 0; }
};

class GrantEntry {
 public:
  // `entry`: 8 bytes (version 1) or 16 (version 2); `status`: 16 bits, version 2 only.
  GrantEntry(std::byte* entry, std::byte* status) : entry_(entry), status_(status) {}

  GrantTerms read() const {
    GrantTerms terms;
    terms.word = shared_word::load<std::uint32_t>(entry_);
    terms.flags = static_cast<std::uint16_t>(terms.word);
    terms.domain = static_cast<std::uint16_t>(terms.word >> 16);
    if (status_ == nullptr) {
      terms.gfn = shared_word::load<std::uint32_t>(entry_ + offsetof(grant_entry_v1_t, frame));
      return terms;
    }
    terms.gfn =
        shared_word::load<std::uint64_t>(entry_ + offsetof(grant_entry_v2_t, full_page.frame));
    if ((terms.flags & GTF_sub_page) != 0) {
      terms.offset =
          shared_word::load<std::uint16_t>(entry_ + offsetof(grant_entry_v2_t, sub_page.page_off));
      terms.length =
          shared_word::load<std::uint16_t>(entry_ + offsetof(grant_entry_v2_t, sub_page.length));
    }
    return terms;
  }

  // Marks the entry as in use, if its terms are still the same. False: they changed.
  bool mark(const GrantTerms& terms, bool writing) const {
    const std::uint16_t bits = GTF_reading | (writing ? GTF_writing : 0);
    if (status_ == nullptr) {
      std::uint32_t expected = terms.word;
      return __atomic_compare_exchange_n(word(), &expected, terms.word | bits, false,
                                         __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    }
    // The status lies apart: mark it, then see whether the entry is still what it was, as the guest
    // does the reverse.
    __atomic_fetch_or(status(), bits, __ATOMIC_SEQ_CST);
    if (shared_word::load<std::uint32_t>(entry_) == terms.word) {
      return true;
    }
    return false;
  }
  void clear(bool reading, bool writing) const {
    const auto bits =
        static_cast<std::uint16_t>((reading ? GTF_reading : 0) | (writing ? GTF_writing : 0));
    const auto keep = static_cast<std::uint16_t>(~bits);
    __atomic_fetch_and(status_ == nullptr ? flags() : status(), keep, __ATOMIC_SEQ_CST);
  }

 private:
  // SAFETY: entries are naturally aligned inside a shared frame.
  std::uint32_t* word() const { return reinterpret_cast<std::uint32_t*>(entry_); }
  std::uint16_t* flags() const { return reinterpret_cast<std::uint16_t*>(entry_); }
  std::uint16_t* status() const { return reinterpret_cast<std::uint16_t*>(status_); }

  std::byte* entry_;
  std::byte* status_;
};
static_assert(sizeof(grant_entry_v1_t) == 8 && sizeof(grant_entry_v2_t) == 16);

}  // namespace hyp
