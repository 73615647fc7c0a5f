// SPDX-License-Identifier: Apache-2.0
// HostRequest: one request of domain 0, copied out of the shared slot, and its response in the
// making.
#pragma once

#include <array>
#include <cstring>
#include <type_traits>

#include "hypervisor/core/platform.hpp"

namespace hyp {

struct HostRequest {
  xl::abi::Op op = xl::abi::Op::ping;
  DomId domain{};
  std::array<std::uint64_t, 11> args{};
  std::uint32_t input_bytes = 0;
  alignas(8) std::array<std::byte, xl::abi::bulk_size> input{};  // a copy: what the host writes now
                                                                 // changes nothing

  // --- response
  std::array<std::uint64_t, 18> results{};
  std::uint32_t output_bytes = 0;
  std::byte* output = nullptr;  // the slot's bulk buffer, written only

  // --- for work that takes more than one step
  std::uint64_t step = 0;
  std::uint64_t position = 0;
  std::uint64_t undo_to = 0;

  // Rows of the input; inval when it is not a whole number of them.
  template <typename T>
  std::uint64_t rows() const {
    return input_bytes / sizeof(T);
  }
  template <typename T>
  bool whole_rows() const {
    return input_bytes % sizeof(T) == 0;
  }
  template <typename T>
  T row(std::uint64_t index) const {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, input.data() + index * sizeof(T), sizeof(T));
    return value;
  }
  // False when the output buffer is full.
  template <typename T>
  bool put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (output_bytes + sizeof(T) > xl::abi::bulk_size) {
      return false;
    }
    std::memcpy(output + output_bytes, &value, sizeof(T));
    output_bytes += static_cast<std::uint32_t>(sizeof(T));
    return true;
  }
};

// What a handler says beside success and failure: it is not finished, call it again with the same
// request.
enum class Progress : std::uint8_t { done, more };
using HostResult = Result<Progress>;

}  // namespace hyp
