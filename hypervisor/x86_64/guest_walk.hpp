// SPDX-License-Identifier: Apache-2.0
// From a guest's linear address to its physical one, as the CPU would walk: no paging, 32-bit (with
// 4 MiB pages), PAE, 4-level (with 2 MiB and 1 GiB pages). APM volume 2, sections 5.2 and 5.3. The
// hypervisor acts for the guest's ring 0, so user/supervisor bits, NX and SMAP do not count; write
// protection does. Pure; compiles on the host.
#pragma once

#include <cstdint>
#include <optional>

#include "base/types.hpp"
#include "hypervisor/x86_64/registers.hpp"

namespace hyp::x86 {

struct PagingState {
  std::uint64_t cr0, cr3, cr4, efer;
};

namespace walk_detail {

inline constexpr std::uint64_t present = 1;
inline constexpr std::uint64_t writable = 2;
inline constexpr std::uint64_t large = 0x80;
inline constexpr std::uint64_t address_mask = 0x000ffffffffff000;

// One paging mode: levels from the root down.
struct Shape {
  unsigned levels;
  unsigned entry_bytes;
  unsigned index_bits;  // of all levels but the root
  unsigned root_index_bits;
  unsigned largest_leaf;  // highest level (0 = 4 KiB) at which the large bit counts
};

constexpr Shape shape_of(const PagingState& state) {
  if ((state.cr4 & cr4::pae) == 0) {
    return {2, 4, 10, 10, (state.cr4 & cr4::pse) != 0 ? 1U : 0U};
  }
  return (state.efer & efer::lma) != 0 ? Shape{4, 8, 9, 9, 2} : Shape{3, 8, 9, 2, 1};
}

constexpr std::uint64_t root_of(const PagingState& state, const Shape& shape) {
  switch (shape.levels) {
    case 4: return state.cr3 & address_mask;
    case 3: return state.cr3 & 0xffffffe0;  // PAE's root has 32 bytes
    default: return state.cr3 & 0xfffff000;
  }
}

// A 4 MiB page's bits 39:32 stand in bits 20:13 of its entry (PSE-36).
constexpr std::uint64_t leaf_address(std::uint64_t entry, std::uint64_t size,
                                     unsigned entry_bytes) {
  if (entry_bytes == 4 && size > xl::page_size) {
    return (entry & 0xffc00000) | ((entry >> 13) & 0xff) << 32;
  }
  return entry & address_mask & ~(size - 1);
}

constexpr bool is_canonical(std::uint64_t linear) {
  const std::uint64_t high = linear >> 47;
  return high == 0 || high == 0x1ffff;
}

}  // namespace walk_detail

// `read_entry(GuestPhys, bytes)` gives a page table word of 4 or 8 bytes, or nothing where there is
// no memory. Nothing: not mapped, or not writable where `write` asks for it.
template <typename ReadEntry>
std::optional<xl::GuestPhys> walk_guest(const PagingState& state, std::uint64_t linear, bool write,
                                        ReadEntry&& read_entry) {
  using namespace walk_detail;
  const bool paging = (state.cr0 & cr0::pg) != 0;
  if (!paging || (state.efer & efer::lma) == 0) {
    linear &= 0xffffffff;
  }
  if (!paging) {
    return xl::GuestPhys(linear);
  }
  const Shape shape = shape_of(state);
  if (shape.levels == 4 && !is_canonical(linear)) {
    return std::nullopt;
  }
  const bool check_write = write && (state.cr0 & cr0::wp) != 0;
  std::uint64_t table = root_of(state, shape);
  for (unsigned level = shape.levels; level-- > 0;) {
    const unsigned shift = 12 + level * shape.index_bits;
    const unsigned bits = level + 1 == shape.levels ? shape.root_index_bits : shape.index_bits;
    const std::uint64_t index = (linear >> shift) & ((1ULL << bits) - 1);
    const std::optional<std::uint64_t> entry =
        read_entry(xl::GuestPhys(table + index * shape.entry_bytes), shape.entry_bytes);
    if (!entry || (*entry & present) == 0) {
      return std::nullopt;
    }
    const bool is_pae_root = shape.levels == 3 && level == 2;  // has no writable bit
    if (check_write && !is_pae_root && (*entry & writable) == 0) {
      return std::nullopt;
    }
    if (level == 0 || ((*entry & large) != 0 && level <= shape.largest_leaf && !is_pae_root)) {
      const std::uint64_t size = 1ULL << shift;
      return xl::GuestPhys(leaf_address(*entry, size, shape.entry_bytes) | (linear & (size - 1)));
    }
    table = *entry & address_mask;
  }
  return std::nullopt;
}

}  // namespace hyp::x86
