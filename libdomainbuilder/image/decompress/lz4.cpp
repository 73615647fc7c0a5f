// SPDX-License-Identifier: Apache-2.0
// LZ4 in legacy frames (lz4 -l, the only form that Linux uses), by liblz4. A frame is a magic
// number, then blocks: the compressed size as 32 bits, then the data; each block but the last
// expands to 8 MiB. Frames may follow each other.
#include <lz4.h>

#include <algorithm>

#include "libdomainbuilder/image/bytes.hpp"
#include "libdomainbuilder/image/decompress.hpp"

namespace xl::build {

namespace {

constexpr std::uint32_t legacy_magic = 0x184c2102;
constexpr std::size_t block_size = 8 << 20;

}  // namespace

Result<void> detail::expand_lz4(std::span<const std::byte> input, std::span<std::byte> output) {
  const ByteView view(input);
  std::size_t produced = 0;
  std::uint64_t at = 0;
  while (at < view.size()) {
    const auto size = view.read<std::uint32_t>(at);
    if (!size) {
      return trailing(view.size() - at);
    }
    at += sizeof *size;
    if (*size == legacy_magic) {
      continue;
    }
    if (!view.contains(at, *size)) {
      return damaged("a block is longer than what is left of it");
    }
    const std::size_t room = std::min(block_size, output.size() - produced);
    // SAFETY: char may alias any object.
    const int got = LZ4_decompress_safe(reinterpret_cast<const char*>(input.data() + at),
                                        reinterpret_cast<char*>(output.data() + produced),
                                        static_cast<int>(*size), static_cast<int>(room));
    if (got < 0) {
      return room < block_size ? damaged("a block does not expand, or to more than it declares")
                               : damaged("a block does not expand to 8 MiB or less");
    }
    produced += static_cast<std::size_t>(got);
    at += *size;
  }
  return produced == output.size() ? Result<void>() : too_short(produced, output.size());
}

}  // namespace xl::build
