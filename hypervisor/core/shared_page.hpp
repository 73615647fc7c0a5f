// SPDX-License-Identifier: Apache-2.0
// Views of the two structures that guest and hypervisor both write: shared_info and vcpu_info, in
// their 64-bit and their 32-bit layout. Every access is atomic, as the guest may change any word at
// any time. Freestanding.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hypervisor/core/xen_abi.hpp"

namespace hyp {

namespace shared_word {
template <typename T>
T load(const void* at) {
  return __atomic_load_n(static_cast<const T*>(at), __ATOMIC_ACQUIRE);
}
template <typename T>
void store(void* at, T value) {
  __atomic_store_n(static_cast<T*>(at), value, __ATOMIC_RELEASE);
}
// Sequentially consistent: orders what follows behind them, as a locked instruction does.
template <typename T>
T exchange(void* at, T value) {
  return __atomic_exchange_n(static_cast<T*>(at), value, __ATOMIC_SEQ_CST);
}
// The bit in an array of 32-bit words; little-endian, so it is also the bit of the array of 64-bit
// words.
inline bool test_bit(const void* base, unsigned bit) {
  return (load<std::uint32_t>(static_cast<const std::uint32_t*>(base) + bit / 32) >> (bit % 32) &
          1U) != 0;
}
inline bool test_and_set(void* base, unsigned bit) {
  const std::uint32_t mask = 1U << (bit % 32);
  return (__atomic_fetch_or(static_cast<std::uint32_t*>(base) + bit / 32, mask, __ATOMIC_SEQ_CST) &
          mask) != 0;
}
inline bool test_and_clear(void* base, unsigned bit) {
  const std::uint32_t mask = 1U << (bit % 32);
  return (__atomic_fetch_and(static_cast<std::uint32_t*>(base) + bit / 32, ~mask,
                             __ATOMIC_SEQ_CST) &
          mask) != 0;
}
}  // namespace shared_word

inline constexpr std::size_t vcpu_info_size = sizeof(vcpu_info);
inline constexpr unsigned legacy_vcpus = XEN_LEGACY_MAX_VCPUS;
static_assert(vcpu_info_size == 64 && offsetof(vcpu_info, time) == 32);

// One vcpu_info, in guest-shared memory.
class VcpuInfoView {
 public:
  VcpuInfoView() = default;
  explicit VcpuInfoView(std::byte* at) : at_(at) {}
  explicit operator bool() const { return at_ != nullptr; }
  std::byte* data() const { return at_; }

  bool upcall_pending() const { return shared_word::load<std::uint8_t>(at_) != 0; }
  // True if it was set already.
  bool raise_upcall() const { return shared_word::exchange<std::uint8_t>(at_, 1) != 0; }
  // evtchn_pending_sel: at 8 as one 64-bit word, at 4 as one 32-bit word.
  bool select(unsigned word, bool narrow) const {
    return shared_word::test_and_set(at_ + (narrow ? 4 : 8), word);
  }
  void select_all(bool narrow) const {
    if (narrow) {
      shared_word::store<std::uint32_t>(at_ + 4, ~0U);
    } else {
      shared_word::store<std::uint64_t>(at_ + 8, ~0ULL);
    }
  }
  // vcpu_time_info with the version protocol: odd while it changes. `base` is the moment of the
  // sample.
  static void write_time(std::byte* at, std::uint64_t tsc, std::uint64_t system_ns,
                         std::uint32_t multiplier, std::int8_t shift) {
    std::byte* const base = at;
    const auto version = shared_word::load<std::uint32_t>(base) & ~1U;
    shared_word::store<std::uint32_t>(base, version + 1);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    shared_word::store<std::uint64_t>(base + offsetof(vcpu_time_info, tsc_timestamp), tsc);
    shared_word::store<std::uint64_t>(base + offsetof(vcpu_time_info, system_time), system_ns);
    shared_word::store<std::uint32_t>(base + offsetof(vcpu_time_info, tsc_to_system_mul),
                                      multiplier);
    shared_word::store<std::int8_t>(base + offsetof(vcpu_time_info, tsc_shift), shift);
    shared_word::store<std::uint8_t>(base + offsetof(vcpu_time_info, flags),
                                     XEN_PVCLOCK_TSC_STABLE_BIT);
    shared_word::store<std::uint32_t>(base, version + 2);
  }
  std::byte* time() const { return at_ + offsetof(vcpu_info, time); }

 private:
  std::byte* at_ = nullptr;
};
static_assert(offsetof(vcpu_info, evtchn_upcall_pending) == 0 &&
              offsetof(vcpu_info, evtchn_pending_sel) == 8);

// The shared_info page.
class SharedPage {
 public:
  SharedPage() = default;
  explicit SharedPage(std::byte* at) : at_(at) {}

  std::byte* pending() const { return at_ + offsetof(shared_info, evtchn_pending); }
  // i386 has 32 words of 32 bits where x86-64 has 64 of 64.
  std::byte* mask(bool narrow) const {
    return at_ + (narrow ? narrow_mask : offsetof(shared_info, evtchn_mask));
  }
  VcpuInfoView vcpu(unsigned id) const { return VcpuInfoView(at_ + id * vcpu_info_size); }

  void write_wall_clock(std::uint64_t unix_ns, bool narrow) const {
    std::byte* const version = at_ + (narrow ? narrow_clock : offsetof(shared_info, wc_version));
    const std::uint64_t seconds = unix_ns / 1000000000;
    const auto number = shared_word::load<std::uint32_t>(version) & ~1U;
    shared_word::store<std::uint32_t>(version, number + 1);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    shared_word::store<std::uint32_t>(version + 4, static_cast<std::uint32_t>(seconds));
    shared_word::store<std::uint32_t>(version + 8,
                                      static_cast<std::uint32_t>(unix_ns % 1000000000));
    // i386 keeps the upper half of the seconds at the end of arch_shared_info.
    shared_word::store<std::uint32_t>(version + (narrow ? 36 : 12),
                                      static_cast<std::uint32_t>(seconds >> 32));
    shared_word::store<std::uint32_t>(version, number + 2);
  }

 private:
  static constexpr std::size_t narrow_mask = offsetof(shared_info, evtchn_pending) + 128;
  static constexpr std::size_t narrow_clock = narrow_mask + 128;
  std::byte* at_ = nullptr;
};
static_assert(offsetof(shared_info, evtchn_pending) == legacy_vcpus * vcpu_info_size);
static_assert(offsetof(shared_info, wc_sec_hi) == offsetof(shared_info, wc_version) + 12);

}  // namespace hyp
