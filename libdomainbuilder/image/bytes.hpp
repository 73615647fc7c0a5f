// SPDX-License-Identifier: Apache-2.0
// ByteView: untrusted bytes, read with bounds, at any alignment, little-endian. A read outside
// gives nothing; offsets and lengths may be any number, their sums do not wrap.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace xl::build {

static_assert(std::endian::native == std::endian::little);

class ByteView {
 public:
  ByteView() = default;
  explicit ByteView(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::uint64_t size() const { return bytes_.size(); }
  std::span<const std::byte> bytes() const { return bytes_; }

  bool contains(std::uint64_t offset, std::uint64_t length) const {
    return offset <= size() && length <= size() - offset;
  }
  std::optional<ByteView> sub(std::uint64_t offset, std::uint64_t length) const {
    if (!contains(offset, length)) {
      return std::nullopt;
    }
    return ByteView(bytes_.subspan(offset, length));
  }
  template <typename T>
  requires std::is_trivially_copyable_v<T> std::optional<T> read(std::uint64_t offset)
  const {
    if (!contains(offset, sizeof(T))) {
      return std::nullopt;
    }
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }
  bool has(std::uint64_t offset, std::string_view text) const {
    return contains(offset, text.size()) &&
           std::memcmp(bytes_.data() + offset, text.data(), text.size()) == 0;
  }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace xl::build
