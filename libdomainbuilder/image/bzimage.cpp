// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/image/bzimage.hpp"

#include <fmt/format.h>

namespace xl::build {

namespace {

// Offsets of the setup header's fields from the start of the file.
constexpr std::uint64_t setup_sects_at = 0x1f1;
constexpr std::uint64_t magic_at = 0x202;
constexpr std::uint64_t version_at = 0x206;
constexpr std::uint64_t kernel_version_at = 0x20e;
constexpr std::uint64_t loadflags_at = 0x211;
constexpr std::uint64_t payload_offset_at = 0x248;
constexpr std::uint64_t payload_length_at = 0x24c;
constexpr std::uint64_t sector_size = 512;
constexpr std::uint16_t first_with_payload = 0x0208;
constexpr std::uint8_t loaded_high = 1;
constexpr std::size_t banner_limit = 128;

Error wrong(std::string message, std::string hint = "copy or build it anew") {
  return make_error(ErrorId::kernel_damaged, std::move(message), std::move(hint));
}

std::string read_banner(ByteView file) {
  const auto offset = file.read<std::uint16_t>(kernel_version_at);
  std::string banner;
  if (!offset || *offset == 0) {
    return banner;
  }
  for (std::uint64_t at = *offset + sector_size; banner.size() < banner_limit; ++at) {
    const auto byte = file.read<char>(at);
    if (!byte || *byte == '\0') {
      break;
    }
    banner += *byte >= 0x20 && *byte < 0x7f ? *byte : '?';
  }
  return banner;
}

// The payload, or what is wrong.
Result<ByteView> find_payload(ByteView file, std::uint16_t protocol) {
  if (protocol < first_with_payload) {
    return Unexpected(
        make_error(ErrorId::kernel_format,
                   "is a bzImage that does not say where its kernel lies (its boot protocol is "
                   "older than 2.08)",
                   "use a kernel of Linux 2.6.26 or later"));
  }
  const auto sectors = file.read<std::uint8_t>(setup_sects_at);
  const auto flags = file.read<std::uint8_t>(loadflags_at);
  const auto offset = file.read<std::uint32_t>(payload_offset_at);
  const auto length = file.read<std::uint32_t>(payload_length_at);
  if (!sectors || !flags || !offset || !length) {
    return Unexpected(wrong("is truncated within its bzImage header"));
  }
  if ((*flags & loaded_high) == 0) {
    return fail(ErrorId::kernel_format, "is a zImage, not a bzImage",
                "build the kernel as a bzImage");
  }
  const std::uint64_t setup = (*sectors == 0 ? 4U : *sectors) * sector_size + sector_size;
  const std::uint64_t start = setup + *offset;
  const auto payload = file.sub(start, *length);
  if (!payload) {
    return Unexpected(
        wrong(fmt::format("is truncated: its payload ends at {:#x}, the file at {:#x}",
                          start + *length, file.size())));
  }
  return *payload;
}

}  // namespace

bool looks_like_bzimage(ByteView file) {
  return file.has(magic_at, "HdrS");
}

BzImage read_bzimage(ByteView file) {
  BzImage image;
  const auto protocol = file.read<std::uint16_t>(version_at);
  if (!protocol) {
    image.fault = wrong("is truncated within its bzImage header");
    return image;
  }
  image.protocol = fmt::format("{}.{:02}", *protocol >> 8, *protocol & 0xff);
  image.version = read_banner(file);
  auto payload = find_payload(file, *protocol);
  if (payload) {
    image.payload = *payload;
  } else {
    image.fault = std::move(payload).error();
  }
  return image;
}

}  // namespace xl::build
