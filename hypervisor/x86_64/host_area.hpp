// SPDX-License-Identifier: Apache-2.0
// The shared area (abi/host_area.hpp) as this program's memory: it is identity-mapped at its fixed
// address.
#pragma once

#include <cstddef>

#include "hypervisor/abi/host_area.hpp"

namespace hyp::x86 {

inline std::byte* host_area() {
  // SAFETY: the ABI reserves this physical range, which is RAM and identity-mapped; its words are
  // accessed atomically.
  return reinterpret_cast<std::byte*>(xl::abi::host_area_address);
}

inline xl::abi::Header& host_header() {
  // SAFETY: Header is standard layout, lies at the area's start, and every bit pattern is a value
  // of it.
  return *reinterpret_cast<xl::abi::Header*>(host_area() + xl::abi::header_offset);
}

inline char* log_ring() {
  // SAFETY: bytes are characters.
  return reinterpret_cast<char*>(host_area() + xl::abi::log_offset);
}

}  // namespace hyp::x86
