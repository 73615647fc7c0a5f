// SPDX-License-Identifier: Apache-2.0
// LZO1X in lzop(1)'s container, by liblzo2; the container is parsed here. Everything in it is
// big-endian:
//
//   magic(9) version(2) library version(2) [version needed(2)] method(1) [level(1)] flags(4)
//   [filter(4)] mode(4) mtime low(4) [mtime high(4)] name length(1) name header checksum(4) [extra:
//   length(4) bytes checksum(4)] blocks: expanded size(4, 0 ends) compressed size(4) [checksums of
//   expanded, then of compressed data] data
//
// The parts in brackets depend on version (0x0940 brought them) and flags. A block that did not
// shrink is stored.
#include <lzo/lzo1x.h>
#include <zlib.h>

#include <cstring>

#include "libdomainbuilder/image/bytes.hpp"
#include "libdomainbuilder/image/decompress.hpp"

namespace xl::build {

namespace {

using namespace detail;

constexpr std::uint32_t flag_adler32_expanded = 0x1;
constexpr std::uint32_t flag_adler32_compressed = 0x2;
constexpr std::uint32_t flag_extra_field = 0x40;
constexpr std::uint32_t flag_crc32_expanded = 0x100;
constexpr std::uint32_t flag_crc32_compressed = 0x200;
constexpr std::uint32_t flag_multipart = 0x400;
constexpr std::uint32_t flag_filter = 0x800;
constexpr std::uint32_t flag_header_crc32 = 0x1000;
constexpr std::uint64_t magic_size = 9;
constexpr std::uint32_t block_limit = 64 << 20;  // lzop's own

// A cursor that remembers running out instead of reporting each time.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : view_(bytes) {}

  std::uint32_t number(unsigned width) {
    std::uint32_t value = 0;
    for (const std::byte byte : take(width)) {
      value = (value << 8) | std::to_integer<std::uint32_t>(byte);
    }
    return value;
  }
  std::span<const std::byte> take(std::uint64_t length) {
    const auto part = view_.sub(at_, length);
    if (!part) {
      short_ = true;
      return {};
    }
    at_ += length;
    return part->bytes();
  }
  bool ran_out() const { return short_; }
  std::uint64_t position() const { return at_; }
  std::uint64_t left() const { return view_.size() - at_; }

 private:
  ByteView view_;
  std::uint64_t at_ = 0;
  bool short_ = false;
};

// SAFETY of both: zlib's byte type is unsigned char, which may alias.
std::uint32_t adler(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      adler32_z(1, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}
std::uint32_t crc(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

// Returns the flags; leaves the cursor at the first block.
Result<std::uint32_t> read_header(Cursor& cursor, std::span<const std::byte> input) {
  cursor.take(magic_size);
  const std::uint32_t version = cursor.number(2);
  const bool modern = version >= 0x0940;
  cursor.number(modern ? 4 : 2);
  const std::uint32_t method = cursor.number(1);
  cursor.number(modern ? 1 : 0);
  const std::uint32_t flags = cursor.number(4);
  cursor.take((flags & flag_filter) != 0 ? 4 : 0);
  cursor.take(modern ? 12 : 8);
  cursor.take(cursor.number(1));
  const std::uint64_t end = cursor.position();
  const std::uint32_t checksum = cursor.number(4);
  if (cursor.ran_out()) {
    return damaged("its lzop header is truncated");
  }
  const auto covered = input.subspan(magic_size, end - magic_size);
  if (checksum != ((flags & flag_header_crc32) != 0 ? crc(covered) : adler(covered))) {
    return damaged("its lzop header has a wrong checksum");
  }
  if (method < 1 || method > 3 || (flags & (flag_filter | flag_multipart)) != 0) {
    return damaged("its lzop header asks for a method or filter that is not known");
  }
  if ((flags & flag_extra_field) != 0) {
    cursor.take(cursor.number(4));
    cursor.number(4);
  }
  return flags;
}

Result<void> expand_block(std::span<const std::byte> data, std::span<std::byte> to) {
  if (data.size() == to.size()) {
    std::memcpy(to.data(), data.data(), data.size());
    return {};
  }
  lzo_uint got = to.size();
  // SAFETY: lzo's byte type is unsigned char, which may alias.
  const int status =
      lzo1x_decompress_safe(reinterpret_cast<lzo_bytep>(const_cast<std::byte*>(data.data())),
                            data.size(), reinterpret_cast<lzo_bytep>(to.data()), &got, nullptr);
  if (status != LZO_E_OK || got != to.size()) {
    return damaged("a block does not expand to the size that it declares");
  }
  return {};
}

struct BlockChecks {
  std::uint32_t adler_expanded = 0;
  std::uint32_t crc_expanded = 0;
};

BlockChecks read_checks(Cursor& cursor, std::uint32_t flags, bool stored) {
  BlockChecks checks;
  checks.adler_expanded = cursor.number((flags & flag_adler32_expanded) != 0 ? 4 : 0);
  checks.crc_expanded = cursor.number((flags & flag_crc32_expanded) != 0 ? 4 : 0);
  if (!stored) {  // those of the compressed bytes say nothing that the others do not
    cursor.number((flags & flag_adler32_compressed) != 0 ? 4 : 0);
    cursor.number((flags & flag_crc32_compressed) != 0 ? 4 : 0);
  }
  return checks;
}

}  // namespace

Result<void> detail::expand_lzo(std::span<const std::byte> input, std::span<std::byte> output) {
  Cursor cursor(input);
  XL_TRY_ASSIGN(const std::uint32_t flags, read_header(cursor, input));
  std::size_t produced = 0;
  for (;;) {
    const std::uint32_t expanded = cursor.number(4);
    if (cursor.ran_out()) {
      return damaged("it ends without an end mark");
    }
    if (expanded == 0) {
      break;
    }
    const std::uint32_t compressed = cursor.number(4);
    if (compressed > expanded || expanded > block_limit) {
      return damaged("a block has impossible sizes");
    }
    if (expanded > output.size() - produced) {
      return too_long(output.size());
    }
    const BlockChecks checks = read_checks(cursor, flags, compressed == expanded);
    const auto data = cursor.take(compressed);
    if (cursor.ran_out()) {
      return damaged("a block is longer than what is left of it");
    }
    const auto to = output.subspan(produced, expanded);
    XL_TRY(expand_block(data, to));
    if (((flags & flag_adler32_expanded) != 0 && adler(to) != checks.adler_expanded) ||
        ((flags & flag_crc32_expanded) != 0 && crc(to) != checks.crc_expanded)) {
      return damaged("a block has a wrong checksum");
    }
    produced += expanded;
  }
  if (produced != output.size()) {
    return too_short(produced, output.size());
  }
  return cursor.left() == 0 ? Result<void>() : trailing(cursor.left());
}

}  // namespace xl::build
