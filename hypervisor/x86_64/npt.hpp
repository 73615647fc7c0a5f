// SPDX-License-Identifier: Apache-2.0
// The nested page table's entries: APM volume 2, sections 5.3 and 15.25.5 (nested tables are walked
// as user accesses). Bits 9 to 11 are software's: the core's PageKind. Pure; compiles on the host.
#pragma once

#include <cstdint>

#include "base/bits.hpp"
#include "base/types.hpp"
#include "hypervisor/core/platform.hpp"

namespace hyp::x86 {

struct NestedEntry {
  using Present = xl::Bits<0>;
  using Writable = xl::Bits<1>;
  using User = xl::Bits<2>;
  using Accessed = xl::Bits<5>;
  using Dirty = xl::Bits<6>;
  using Large = xl::Bits<7>;
  using Kind = xl::Bits<9, 3>;
  static constexpr std::uint64_t address_mask = 0x000ffffffffff000;
  static constexpr std::uint64_t accessed_bits = Accessed::mask;

  static constexpr std::uint64_t make_leaf(xl::Mfn mfn, unsigned level, PageKind kind) {
    return (mfn.value() << xl::page_shift) | Present::mask | User::mask |
           (kind == PageKind::grant_ro ? 0 : Writable::mask) | (level > 0 ? Large::mask : 0) |
           Kind::make(static_cast<std::uint64_t>(kind));
  }
  static constexpr std::uint64_t make_table(xl::Mfn mfn) {
    return (mfn.value() << xl::page_shift) | Present::mask | Writable::mask | User::mask |
           Accessed::mask;
  }
  static constexpr std::uint64_t make_on_demand(unsigned level) {
    return (level > 0 ? Large::mask : 0) |
           Kind::make(static_cast<std::uint64_t>(PageKind::on_demand));
  }
  static constexpr bool is_present(std::uint64_t entry) { return Present::test(entry); }
  static constexpr bool is_leaf(std::uint64_t entry, unsigned level) {
    return level == 0 || Large::test(entry);
  }
  static constexpr xl::Mfn mfn(std::uint64_t entry) {
    return xl::Mfn((entry & address_mask) >> xl::page_shift);
  }
  static constexpr PageKind kind(std::uint64_t entry) {
    return static_cast<PageKind>(Kind::get(entry));
  }
  static constexpr bool accessed(std::uint64_t entry) { return Accessed::test(entry); }
};
static_assert(PhysmapFormat<NestedEntry>);

}  // namespace hyp::x86
