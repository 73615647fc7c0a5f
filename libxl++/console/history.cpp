// SPDX-License-Identifier: Apache-2.0
#include "libxl++/console/history.hpp"

#include <algorithm>
#include <string_view>

namespace xl::console {

void History::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (chunks_.empty() || chunks_.back().size() == chunk_size) {
      chunks_.emplace_back();
    }
    std::string& chunk = chunks_.back();
    const std::size_t count = std::min(bytes.size(), chunk_size - chunk.size());
    // std::string doubles as it grows, so the first chunk of a domain that prints little stays
    // small. SAFETY: bytes as characters.
    chunk.append(reinterpret_cast<const char*>(bytes.data()), count);
    bytes = bytes.subspan(count);
    size_ += count;
  }
  while (!chunks_.empty() && size_ - chunks_.front().size() >= limit_) {
    size_ -= chunks_.front().size();
    chunks_.pop_front();
  }
}

std::string History::text() const {
  std::string text;
  text.reserve(size_);
  for (const std::string& chunk : chunks_) {
    text += chunk;
  }
  return text;
}

std::string last_line(const std::string& text) {
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t end = text.find_last_not_of(blank);
  if (end == text.npos) {
    return {};
  }
  const std::size_t before = text.find_last_of("\r\n", end);
  const std::size_t start = text.find_first_not_of(blank, before == text.npos ? 0 : before + 1);
  return text.substr(start, end + 1 - start);
}

}  // namespace xl::console
