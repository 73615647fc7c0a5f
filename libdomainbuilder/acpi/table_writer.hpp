// SPDX-License-Identifier: Apache-2.0
// TableWriter: one ACPI system description table, written field by field. Source: ACPI 5.0, 5.2.6.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace xl::build::acpi {

// Over these bytes, with the checksum field zero: what makes the sum zero.
std::byte checksum(std::span<const std::byte> bytes);

class TableWriter {
 public:
  static constexpr std::size_t header_size = 36;

  // Writes the common header; `signature` has four characters.
  TableWriter(std::string_view signature, std::uint8_t revision);

  template <typename T>
  requires std::is_unsigned_v<T> TableWriter& add(T value) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + sizeof value);
    std::memcpy(bytes_.data() + at, &value, sizeof value);
    return *this;
  }
  // Cut or filled with `fill` to `width` characters.
  TableWriter& text(std::string_view value, std::size_t width, char fill = ' ');
  TableWriter& append(std::span<const std::byte> bytes);
  TableWriter& zeros(std::size_t count);
  // Zeros up to this offset in the table; a bug if it is further already.
  TableWriter& skip_to(std::size_t offset);

  // The table with its length and checksum.
  std::vector<std::byte> finish() &&;

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace xl::build::acpi
