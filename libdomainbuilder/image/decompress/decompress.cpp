// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/image/decompress.hpp"

#include <fmt/format.h>

#include <array>

#include "libdomainbuilder/image/bytes.hpp"

namespace xl::build {

namespace {

struct Magic {
  std::string_view bytes;
  Compression format;
};

using namespace std::string_view_literals;

// As linux/lib/decompress.c tells them apart; of LZMA it is the usual properties byte and an empty
// low dictionary size.
constexpr std::array<Magic, 8> magics{{
    {"\x1f\x8b"sv, Compression::gzip},
    {"\x1f\x9e"sv, Compression::gzip},
    {"BZh"sv, Compression::bzip2},
    {"\x5d\x00\x00"sv, Compression::lzma},
    {"\xfd\x37zXZ\x00"sv, Compression::xz},
    {"\x89LZO\x00\r\n\x1a\n"sv, Compression::lzo},
    {"\x02\x21\x4c\x18"sv, Compression::lz4},
    {"\x28\xb5\x2f\xfd"sv, Compression::zstd},
}};

}  // namespace

Compression detect_compression(std::span<const std::byte> input) {
  for (const Magic& magic : magics) {
    if (ByteView(input).has(0, magic.bytes)) {
      return magic.format;
    }
  }
  return Compression::none;
}

Result<void> decompress(Compression format, std::span<const std::byte> input,
                        std::span<std::byte> output) {
  switch (format) {
    case Compression::gzip: return detail::expand_gzip(input, output);
    case Compression::bzip2: return detail::expand_bzip2(input, output);
    case Compression::lzma: return detail::expand_lzma(input, output);
    case Compression::xz: return detail::expand_xz(input, output);
    case Compression::lzo: return detail::expand_lzo(input, output);
    case Compression::lz4: return detail::expand_lz4(input, output);
    case Compression::zstd: return detail::expand_zstd(input, output);
    case Compression::none: break;
  }
  return fail(ErrorId::kernel_damaged, "has a format that is not known");
}

namespace detail {

Unexpected<Error> damaged(std::string_view why) {
  return fail(ErrorId::kernel_damaged, fmt::format("is damaged: {}", why));
}

Unexpected<Error> too_long(std::size_t declared) {
  return fail(ErrorId::kernel_damaged,
              fmt::format("expands to more than the {} bytes that it declares", declared));
}

Unexpected<Error> too_short(std::size_t produced, std::size_t declared) {
  return fail(ErrorId::kernel_damaged,
              fmt::format("ends after {} of the {} bytes that it declares", produced, declared));
}

Unexpected<Error> trailing(std::size_t left) {
  return fail(ErrorId::kernel_damaged, fmt::format("has {} bytes after its end", left));
}

}  // namespace detail
}  // namespace xl::build
