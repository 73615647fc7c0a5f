// SPDX-License-Identifier: Apache-2.0
// A vcpu's machine check registers (APM volume 2, chapter 9) as Xen's on an AMD CPU: two banks in
// which nothing is ever found. Pure; compiles on the host.
//
// Thread rule: only the CPU that runs the vcpu calls in.
#pragma once

#include <cstdint>
#include <optional>

namespace hyp::x86 {

class MachineCheck {
 public:
  static constexpr std::uint32_t banks = 2;

  static constexpr bool contains(std::uint32_t msr) {
    return msr <= p5_type || (msr >= capabilities && msr <= control) || is_threshold(msr) ||
           (msr >= bank_control2 && msr < bank_control2 + known_banks) ||
           (msr >= bank && msr < bank + 4 * known_banks) || msr == extended_control;
  }
  // Of an MSR that contains() names. Nothing: #GP.
  std::optional<std::uint64_t> read(std::uint32_t msr) const {
    if (is_threshold(msr)) {
      return locked;
    }
    if (is_bank(msr)) {
      return (msr & 3) == 0 ? ~std::uint64_t{0} : 0;  // reports of all errors are on
    }
    switch (msr) {
      case capabilities: return banks;
      case status: return status_;
      case extended_control: return std::nullopt;
      default: return 0;
    }
  }
  // False: #GP.
  bool write(std::uint32_t msr, std::uint64_t value) {
    if (is_bank(msr)) {
      return (msr & 3) == 0 || value == 0;  // reports can only be cleared
    }
    switch (msr) {
      case status: status_ = value; return true;
      case p5_address:
      case p5_type:
      case extended_control: return false;
      default: return true;
    }
  }

 private:
  static constexpr std::uint32_t known_banks = 32;  // that CPUs may have: the rest of them reads 0
  static constexpr std::uint32_t p5_address = 0;
  static constexpr std::uint32_t p5_type = 1;
  static constexpr std::uint32_t capabilities = 0x179;
  static constexpr std::uint32_t status = 0x17a;
  static constexpr std::uint32_t control = 0x17b;
  static constexpr std::uint32_t bank_control2 = 0x280;
  static constexpr std::uint32_t bank = 0x400;  // control, status, address, misc of each
  static constexpr std::uint32_t extended_control = 0x4d0;
  static constexpr std::uint32_t threshold = 0xc0000408;  // MC4_MISC1 .. MC4_MISC3
  static constexpr std::uint64_t locked = 1ULL << 61;     // by the firmware

  static constexpr bool is_threshold(std::uint32_t msr) {
    return msr >= threshold && msr < threshold + 3;
  }
  static constexpr bool is_bank(std::uint32_t msr) { return msr >= bank && msr < bank + 4 * banks; }

  std::uint64_t status_ = 0;
};

}  // namespace hyp::x86
