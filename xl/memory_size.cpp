// SPDX-License-Identifier: Apache-2.0
#include "xl/memory_size.hpp"

#include <charconv>
#include <optional>

namespace xl::cli {
namespace {

// Bits to shift a number with this suffix to the left for KiB; -10 for bytes.
std::optional<int> shift_of(std::string_view suffix) {
  if (suffix.empty()) {
    return 10;
  }
  if (suffix.size() > 1) {
    return std::nullopt;
  }
  switch (suffix[0]) {
    case 'b':
    case 'B': return -10;
    case 'k':
    case 'K': return 0;
    case 'm':
    case 'M': return 10;
    case 'g':
    case 'G': return 20;
    case 't':
    case 'T': return 30;
    default: return std::nullopt;
  }
}

}  // namespace

Outcome<std::uint64_t> parse_memory_kib(std::string_view text) {
  std::uint64_t value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  const auto shift = shift_of({end, static_cast<std::size_t>(last - end)});
  // 54 bits of KiB are 64 bits of bytes.
  if (error != std::errc{} || !shift || (*shift > 0 && value >> (54 - *shift) != 0) ||
      (*shift == 0 && value >> 54 != 0)) {
    return wrong_usage("'" + std::string(text) +
                       "' is no amount of memory: say e.g. 256 or 256m (MiB), 1g, 262144k");
  }
  return *shift < 0 ? value >> -*shift : value << *shift;
}

std::string memory_text(std::uint64_t kib) {
  return kib % 1024 == 0 ? std::to_string(kib / 1024) + " MiB" : std::to_string(kib) + " KiB";
}

}  // namespace xl::cli
