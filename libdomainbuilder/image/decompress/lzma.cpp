// SPDX-License-Identifier: Apache-2.0
// LZMA (the old format of lzma(1)) and XZ by liblzma.
#include <lzma.h>

#include "base/scope_exit.hpp"
#include "libdomainbuilder/image/decompress.hpp"

namespace xl::build {

namespace {

// The decoder allocates the dictionary that the stream asks for. Linux uses up to 128 MiB.
constexpr std::uint64_t memory_limit = 256ULL << 20;

Result<void> expand(lzma_stream& stream, std::span<const std::byte> input,
                    std::span<std::byte> output) {
  using namespace detail;
  // SAFETY: liblzma's byte type is unsigned char, which may alias.
  stream.next_in = reinterpret_cast<const std::uint8_t*>(input.data());
  stream.avail_in = input.size();
  stream.next_out = reinterpret_cast<std::uint8_t*>(output.data());
  stream.avail_out = output.size();
  lzma_ret status = LZMA_OK;
  // The decoder may stop early once, when the last input byte and the last output byte meet.
  while (status == LZMA_OK) {
    status = lzma_code(&stream, LZMA_FINISH);
  }
  switch (status) {
    case LZMA_STREAM_END:
      if (stream.avail_out != 0) {
        return too_short(stream.total_out, output.size());
      }
      return stream.avail_in == 0 ? Result<void>() : trailing(stream.avail_in);
    case LZMA_BUF_ERROR:
      return stream.avail_out == 0 ? too_long(output.size())
                                   : too_short(stream.total_out, output.size());
    case LZMA_MEMLIMIT_ERROR: return damaged("it asks for a dictionary of more than 256 MiB");
    case LZMA_MEM_ERROR:
      return fail(ErrorId::daemon_out_of_memory, "cannot be expanded: no memory");
    case LZMA_FORMAT_ERROR: return damaged("it does not start as such data do");
    case LZMA_OPTIONS_ERROR: return damaged("it uses an option that is not known");
    default: return damaged("a checksum or code is wrong");
  }
}

}  // namespace

Result<void> detail::expand_lzma(std::span<const std::byte> input, std::span<std::byte> output) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_alone_decoder(&stream, memory_limit) != LZMA_OK) {
    return fail(ErrorId::daemon_out_of_memory, "cannot be expanded: liblzma has no memory");
  }
  const ScopeExit end([&] { lzma_end(&stream); });
  return expand(stream, input, output);
}

Result<void> detail::expand_xz(std::span<const std::byte> input, std::span<std::byte> output) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, memory_limit, 0) != LZMA_OK) {
    return fail(ErrorId::daemon_out_of_memory, "cannot be expanded: liblzma has no memory");
  }
  const ScopeExit end([&] { lzma_end(&stream); });
  return expand(stream, input, output);
}

}  // namespace xl::build
