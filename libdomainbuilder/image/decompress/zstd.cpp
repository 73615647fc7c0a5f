// SPDX-License-Identifier: Apache-2.0
// Zstandard by libzstd. In one go into the output, so that no window has to be allocated, whatever
// the frame asks for.
#include <zstd.h>

#include "libdomainbuilder/image/decompress.hpp"

namespace xl::build {

Result<void> detail::expand_zstd(std::span<const std::byte> input, std::span<std::byte> output) {
  const std::size_t got = ZSTD_decompress(output.data(), output.size(), input.data(), input.size());
  if (ZSTD_isError(got) == 0) {
    return got == output.size() ? Result<void>() : too_short(got, output.size());
  }
  // The error codes are not part of the library's stable interface; this size is.
  const unsigned long long declared = ZSTD_getFrameContentSize(input.data(), input.size());
  if (declared != ZSTD_CONTENTSIZE_ERROR && declared != ZSTD_CONTENTSIZE_UNKNOWN &&
      declared > output.size()) {
    return too_long(output.size());
  }
  return damaged(ZSTD_getErrorName(got));
}

}  // namespace xl::build
