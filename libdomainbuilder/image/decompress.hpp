// SPDX-License-Identifier: Apache-2.0
// Decompression of every payload that Linux puts into a bzImage, each by its library; see
// docs/adr/0020. The output's size is decided before: a stream cannot make this process allocate
// more, whatever it says.
#pragma once

#include <cstddef>
#include <span>

#include "base/error.hpp"
#include "libdomainbuilder/image/image_report.hpp"

namespace xl::build {

// By the first bytes; none if they are no format that is known here.
Compression detect_compression(std::span<const std::byte> input);

// Expands all of `input` into all of `output`. Errors (invalid_image) say what is wrong in words
// that follow "the gzip payload ": "is damaged: ...", "expands to more than the N bytes that it
// declares", "ends after ...".
Result<void> decompress(Compression format, std::span<const std::byte> input,
                        std::span<std::byte> output);

// The first bytes of what a gzip stream holds, up to output.size(). Returns how many; 0 if it is
// damaged.
std::size_t peek_gzip(std::span<const std::byte> input, std::span<std::byte> output);

namespace detail {

// One per format; contract as decompress().
Result<void> expand_gzip(std::span<const std::byte> input, std::span<std::byte> output);
Result<void> expand_bzip2(std::span<const std::byte> input, std::span<std::byte> output);
Result<void> expand_lzma(std::span<const std::byte> input, std::span<std::byte> output);
Result<void> expand_xz(std::span<const std::byte> input, std::span<std::byte> output);
Result<void> expand_lzo(std::span<const std::byte> input, std::span<std::byte> output);
Result<void> expand_lz4(std::span<const std::byte> input, std::span<std::byte> output);
Result<void> expand_zstd(std::span<const std::byte> input, std::span<std::byte> output);

Unexpected<Error> damaged(std::string_view why);
Unexpected<Error> too_long(std::size_t declared);
Unexpected<Error> too_short(std::size_t produced, std::size_t declared);
Unexpected<Error> trailing(std::size_t left);

}  // namespace detail
}  // namespace xl::build
