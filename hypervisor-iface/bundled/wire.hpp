// SPDX-License-Identifier: Apache-2.0
// Between the waist's types and the wire's records, and from Xen's error numbers to ours.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "hypervisor-iface/bundled/host_area.hpp"
#include "hypervisor-iface/hypervisor.hpp"

namespace xl::hv::bundled {

// Whole records only; what is left over at the end is dropped.
template <typename Record>
std::vector<Record> records(std::span<const std::byte> bytes) {
  static_assert(std::is_trivially_copyable_v<Record>);
  std::vector<Record> all(bytes.size() / sizeof(Record));
  if (!all.empty()) {
    std::memcpy(all.data(), bytes.data(), all.size() * sizeof(Record));
  }
  return all;
}

template <typename Record>
inline constexpr std::size_t records_per_bulk = abi::bulk_size / sizeof(Record);

abi::VcpuContextRecord to_wire(const VcpuContext& context);
VcpuContext from_wire(const abi::VcpuContextRecord& record);
DomainInfo from_wire(const abi::DomainRecord& record);
NamedCounter from_wire(const abi::CounterRecord& record);

std::string_view name_of(abi::Op op);
// `status` is negative: which code, and "populate of domain 3: Cannot allocate memory".
Error error_of(abi::Op op, DomId domain, std::int32_t status);

}  // namespace xl::hv::bundled
