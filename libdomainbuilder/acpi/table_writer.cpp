// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/acpi/table_writer.hpp"

#include <algorithm>
#include <cassert>

namespace xl::build::acpi {

namespace {

constexpr std::size_t length_offset = 4;
constexpr std::size_t checksum_offset = 9;
constexpr std::uint32_t oem_revision = 1;

}  // namespace

std::byte checksum(std::span<const std::byte> bytes) {
  unsigned sum = 0;
  for (const std::byte byte : bytes) {
    sum += std::to_integer<unsigned>(byte);
  }
  return static_cast<std::byte>(-sum & 0xff);
}

TableWriter::TableWriter(std::string_view signature, std::uint8_t revision) {
  text(signature, 4);
  add(std::uint32_t{0}).add(revision).add(std::uint8_t{0});  // length and checksum: finish()
  text("XLPP", 6).text("XLPPPVH", 8).add(oem_revision);
  text("XLPP", 4).add(oem_revision);  // who wrote it
}

TableWriter& TableWriter::text(std::string_view value, std::size_t width, char fill) {
  for (std::size_t i = 0; i < width; ++i) {
    bytes_.push_back(static_cast<std::byte>(i < value.size() ? value[i] : fill));
  }
  return *this;
}

TableWriter& TableWriter::append(std::span<const std::byte> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

TableWriter& TableWriter::zeros(std::size_t count) {
  bytes_.resize(bytes_.size() + count);
  return *this;
}

TableWriter& TableWriter::skip_to(std::size_t offset) {
  assert(offset >= bytes_.size());
  bytes_.resize(std::max(offset, bytes_.size()));
  return *this;
}

std::vector<std::byte> TableWriter::finish() && {
  const auto length = static_cast<std::uint32_t>(bytes_.size());
  std::memcpy(bytes_.data() + length_offset, &length, sizeof length);
  bytes_[checksum_offset] = checksum(bytes_);
  return std::move(bytes_);
}

}  // namespace xl::build::acpi
