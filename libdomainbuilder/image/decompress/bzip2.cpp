// SPDX-License-Identifier: Apache-2.0
// bzip2 by libbz2.
#include <bzlib.h>

#include "base/scope_exit.hpp"
#include "libdomainbuilder/image/decompress.hpp"

namespace xl::build {

Result<void> detail::expand_bzip2(std::span<const std::byte> input, std::span<std::byte> output) {
  bz_stream stream{};
  if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) {
    return fail(ErrorId::daemon_out_of_memory, "cannot be expanded: libbz2 has no memory");
  }
  const ScopeExit end([&] { BZ2_bzDecompressEnd(&stream); });
  // SAFETY: libbz2 reads through a pointer to char, which may alias; it does not write through
  // next_in.
  stream.next_in = reinterpret_cast<char*>(const_cast<std::byte*>(input.data()));
  stream.avail_in = static_cast<unsigned>(input.size());
  stream.next_out = reinterpret_cast<char*>(output.data());
  stream.avail_out = static_cast<unsigned>(output.size());
  const int status = BZ2_bzDecompress(&stream);
  const std::size_t produced = output.size() - stream.avail_out;
  switch (status) {
    case BZ_STREAM_END:
      if (stream.avail_out != 0) {
        return too_short(produced, output.size());
      }
      return stream.avail_in == 0 ? Result<void>() : trailing(stream.avail_in);
    case BZ_OK:  // ran out of input or of room
      return stream.avail_out == 0 ? too_long(output.size()) : too_short(produced, output.size());
    case BZ_DATA_ERROR: return damaged("a checksum or code is wrong");
    case BZ_DATA_ERROR_MAGIC: return damaged("it does not start as bzip2 data do");
    default: return damaged("libbz2 gives up");
  }
}

}  // namespace xl::build
