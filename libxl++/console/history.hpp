// SPDX-License-Identifier: Apache-2.0
// History: the last bytes that a domain printed, for those who attach later. Memory comes in chunks
// as it is needed: a domain that prints nothing costs nothing. Not locked.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>

namespace xl::console {

class History {
 public:
  // Keeps at least the last `limit` bytes, and less than a chunk more.
  explicit History(std::size_t limit) : limit_(limit) {}

  void append(std::span<const std::byte> bytes);
  std::string text() const;
  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t chunk_size = 4096;

  const std::size_t limit_;
  std::size_t size_ = 0;
  std::deque<std::string> chunks_;
};

// The last line of `text` that has anything on it, without its end and surrounding spaces.
std::string last_line(const std::string& text);

}  // namespace xl::console
