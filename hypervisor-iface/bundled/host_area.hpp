// SPDX-License-Identifier: Apache-2.0
// The shared area (hypervisor/abi/host_area.hpp) seen from the host: every access to a word that
// the hypervisor may write at the same time goes through here, as an atomic or as a copy. Nothing
// read from it is to be believed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "hypervisor/abi/host_area.hpp"

namespace xl::hv::bundled {

class HostArea {
 public:
  // `start`: abi::host_area_size bytes, page-aligned, mapped as long as this is used.
  explicit HostArea(std::byte* start) : start_(start) {}

  std::atomic_ref<std::uint32_t> state() const { return word32(offsetof(abi::Header, state)); }
  std::atomic_ref<std::uint32_t> host_sleeping() const {
    return word32(offsetof(abi::Header, host_sleeping));
  }
  std::atomic_ref<std::uint32_t> hypervisor_sleeping() const {
    return word32(offsetof(abi::Header, hypervisor_sleeping));
  }
  std::atomic_ref<std::uint32_t> state_changed() const {
    return word32(offsetof(abi::Header, state_changed));
  }
  std::atomic_ref<std::uint64_t> log_written() const {
    return word64(offsetof(abi::Header, log_written));
  }
  std::atomic_ref<std::uint64_t> releasable_pages() const {
    return word64(offsetof(abi::Header, releasable_pages));
  }
  std::atomic_ref<std::uint64_t> wall_clock_ns() const {
    return word64(offsetof(abi::Header, wall_clock_ns));
  }
  // Moves as long as the hypervisor works on requests.
  std::uint64_t progress() const {
    return word64(offsetof(abi::Header, request_steps)).load(std::memory_order_relaxed) +
           word64(abi::consumer_offset).load(std::memory_order_relaxed);
  }
  std::atomic_ref<std::uint64_t> producer() const { return word64(abi::producer_offset); }
  std::atomic_ref<std::uint64_t> selector(std::size_t word) const {
    return word64(abi::selector_offset + word * sizeof(std::uint64_t));
  }
  std::atomic_ref<std::uint64_t> pending(std::size_t word) const {
    return word64(abi::pending_offset + word * sizeof(std::uint64_t));
  }
  std::atomic_ref<std::uint64_t> done(std::size_t slot) const {
    return word64(slot_offset(slot) + offsetof(abi::Slot, done));
  }

  // The header's other words, which do not change once it is ready.
  abi::Header header() const { return copy<abi::Header>(abi::header_offset); }
  abi::Slot slot(std::size_t index) const { return copy<abi::Slot>(slot_offset(index)); }
  // Everything but `done`, which is the hypervisor's.
  void fill_slot(std::size_t index, const abi::Slot& slot) const {
    std::memcpy(start_ + slot_offset(index), &slot, offsetof(abi::Slot, done));
  }
  std::span<std::byte> bulk(std::size_t slot) const {
    return {start_ + abi::bulk_offset + slot * abi::bulk_size, abi::bulk_size};
  }
  std::span<const std::byte> log() const { return {start_ + abi::log_offset, abi::log_size}; }

 private:
  static std::size_t slot_offset(std::size_t index) {
    return abi::slots_offset + index * sizeof(abi::Slot);
  }
  template <typename T>
  T copy(std::size_t offset) const {
    T value;
    std::memcpy(&value, start_ + offset, sizeof(T));
    return value;
  }
  // SAFETY (both): the ABI keeps these words naturally aligned inside the area; the mapping is
  // shared memory that holds plain words, of which any bit pattern is a value.
  std::atomic_ref<std::uint32_t> word32(std::size_t offset) const {
    return std::atomic_ref(*reinterpret_cast<std::uint32_t*>(start_ + offset));
  }
  std::atomic_ref<std::uint64_t> word64(std::size_t offset) const {
    return std::atomic_ref(*reinterpret_cast<std::uint64_t*>(start_ + offset));
  }

  std::byte* start_;
};

}  // namespace xl::hv::bundled
