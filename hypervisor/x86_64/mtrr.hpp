// SPDX-License-Identifier: Apache-2.0
// A vcpu's memory type range registers (APM volume 2, section 7.7), as Xen gives them to a PVH
// domain: on, all memory write-back. What is written is checked and kept, and nothing more: all of
// a domain's memory is RAM. Pure; compiles on the host.
//
// Thread rule: only the CPU that runs the vcpu calls in.
#pragma once

#include <array>
#include <cstdint>

namespace hyp::x86 {

class Mtrrs {
 public:
  static constexpr unsigned variable_ranges = 8;

  static constexpr bool contains(std::uint32_t msr) {
    return msr == capabilities_msr || msr == default_type_msr || slot(msr) < slots;
  }
  // Of an MSR that contains() names.
  std::uint64_t read(std::uint32_t msr) const {
    if (msr == capabilities_msr) {
      return has_write_combining | has_fixed_ranges | variable_ranges;
    }
    return msr == default_type_msr ? default_type_ : ranges_[slot(msr)];
  }
  // False: #GP. `address_bits`: of physical addresses, less than 64.
  bool write(std::uint32_t msr, std::uint64_t value, unsigned address_bits) {
    if (msr == capabilities_msr || !is_valid(msr, value, address_bits)) {
      return false;
    }
    (msr == default_type_msr ? default_type_ : ranges_[slot(msr)]) = value;
    return true;
  }

 private:
  static constexpr std::uint32_t capabilities_msr = 0xfe;
  static constexpr std::uint32_t variable_msr = 0x200;  // base, mask, base, mask, ...
  static constexpr std::uint32_t default_type_msr = 0x2ff;
  static constexpr std::uint64_t has_fixed_ranges = 1U << 8;
  static constexpr std::uint64_t has_write_combining = 1U << 10;
  static constexpr std::uint64_t enabled = 1U << 11;
  static constexpr std::uint64_t fixed_enabled = 1U << 10;
  static constexpr std::uint64_t write_back = 6;
  static constexpr unsigned fixed_ranges = 11;
  static constexpr unsigned slots = fixed_ranges + 2 * variable_ranges;

  // Where an MSR's value is kept. Fixed ranges: one of 64 KiB steps, two of 16, eight of 4.
  static constexpr unsigned slot(std::uint32_t msr) {
    if (msr >= variable_msr && msr < variable_msr + 2 * variable_ranges) {
      return fixed_ranges + (msr - variable_msr);
    }
    switch (msr) {
      case 0x250: return 0;
      case 0x258: return 1;
      case 0x259: return 2;
      default: return msr >= 0x268 && msr <= 0x26f ? msr - 0x268 + 3 : slots;
    }
  }
  static constexpr bool is_type(std::uint64_t value) {
    const std::uint64_t type = value & 0xff;
    return type <= 1 || (type >= 4 && type <= write_back);
  }
  static constexpr bool is_valid(std::uint32_t msr, std::uint64_t value, unsigned address_bits) {
    if (msr == default_type_msr) {
      return is_type(value) && (value & ~(enabled | fixed_enabled | 0xff)) == 0;
    }
    if (slot(msr) < fixed_ranges) {
      for (unsigned i = 0; i < 8; ++i) {
        if (!is_type(value >> (8 * i))) {
          return false;
        }
      }
      return true;
    }
    const std::uint64_t reserved = (msr & 1) != 0 ? 0x7ff : 0xf00;
    return is_type(value) && (value & reserved) == 0 && value >> address_bits == 0;
  }
  std::uint64_t default_type_ = enabled | write_back;
  std::array<std::uint64_t, slots> ranges_{};
};

}  // namespace hyp::x86
