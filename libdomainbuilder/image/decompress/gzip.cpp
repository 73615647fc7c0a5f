// SPDX-License-Identifier: Apache-2.0
// gzip by zlib. Sizes fit uInt: files and images are capped far below 4 GiB.
#define ZLIB_CONST
#include <zlib.h>

#include "base/scope_exit.hpp"
#include "libdomainbuilder/image/decompress.hpp"

namespace xl::build {

namespace {

constexpr int gzip_window_bits = 16 + MAX_WBITS;  // 16: expect a gzip header and trailer

void attach(z_stream& stream, std::span<const std::byte> input, std::span<std::byte> output) {
  // SAFETY: zlib's byte type is unsigned char, which may alias.
  stream.next_in = reinterpret_cast<const Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(output.data());
  stream.avail_out = static_cast<uInt>(output.size());
}

}  // namespace

Result<void> detail::expand_gzip(std::span<const std::byte> input, std::span<std::byte> output) {
  z_stream stream{};
  if (inflateInit2(&stream, gzip_window_bits) != Z_OK) {
    return fail(ErrorId::daemon_out_of_memory, "cannot be expanded: zlib has no memory");
  }
  const ScopeExit end([&] { inflateEnd(&stream); });
  attach(stream, input, output);
  const int status = inflate(&stream, Z_FINISH);
  if (status == Z_STREAM_END) {
    if (stream.avail_out != 0) {
      return too_short(stream.total_out, output.size());
    }
    return stream.avail_in == 0 ? Result<void>() : trailing(stream.avail_in);
  }
  if (status == Z_DATA_ERROR || status == Z_NEED_DICT) {
    return damaged(stream.msg != nullptr ? stream.msg : "bad data");
  }
  return stream.avail_out == 0 ? too_long(output.size())
                               : too_short(stream.total_out, output.size());
}

std::size_t peek_gzip(std::span<const std::byte> input, std::span<std::byte> output) {
  z_stream stream{};
  if (inflateInit2(&stream, gzip_window_bits) != Z_OK) {
    return 0;
  }
  const ScopeExit end([&] { inflateEnd(&stream); });
  attach(stream, input, output);
  const int status = inflate(&stream, Z_SYNC_FLUSH);
  return status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR ? stream.total_out : 0;
}

}  // namespace xl::build
