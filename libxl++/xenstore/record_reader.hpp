// SPDX-License-Identifier: Apache-2.0
// RecordReader: takes fields off a batch (record.hpp). After the first that is not there nothing
// more is, and ok() says so.
#pragma once

#include <cstdint>
#include <string_view>

namespace xl::xenstore {

class RecordReader {
 public:
  explicit RecordReader(std::string_view batch) : rest_(batch) {}

  bool ok() const { return ok_; }
  bool empty() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  std::uint8_t byte() {
    if (!ok_ || rest_.empty()) {
      ok_ = false;
      return 0;
    }
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  std::uint64_t number(std::uint64_t limit = UINT64_MAX) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t part = byte();
      value |= static_cast<std::uint64_t>(part & 0x7f) << shift;
      if ((part & 0x80) == 0) {
        ok_ = ok_ && value <= limit;
        return ok_ ? value : 0;
      }
    }
    ok_ = false;
    return 0;
  }
  std::string_view text() {
    const std::uint64_t length = number(rest_.size());
    if (!ok_ || length > rest_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view text = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return text;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace xl::xenstore
