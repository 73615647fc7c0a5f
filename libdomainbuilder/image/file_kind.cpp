// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/image/file_kind.hpp"

#include <algorithm>
#include <array>

#include "libdomainbuilder/image/decompress.hpp"

namespace xl::build {

namespace {

using namespace std::string_view_literals;

struct Signature {
  std::uint64_t offset;
  std::string_view bytes;
  std::string_view words;
};

constexpr std::array signatures{
    Signature{0x38, "ARM\x64"sv, "is an aarch64 kernel; only x86 kernels run here"},
    Signature{4, "zimg"sv,
              "is a compressed EFI kernel of another machine; only x86 kernels run here"},
    Signature{0x30, "RISCV\0\0\0"sv, "is a RISC-V kernel; only x86 kernels run here"},
    Signature{0, "\x27\x05\x19\x56"sv, "is a U-Boot image, not a kernel for this machine"},
    Signature{0, "070701"sv, "is a cpio archive (an initrd?), not a kernel"},
    Signature{0, "070702"sv, "is a cpio archive (an initrd?), not a kernel"},
    Signature{0, "!<arch>\n"sv, "is an ar archive or a Debian package, not a kernel"},
    Signature{0, "#!"sv, "is a script, not a kernel"},
    Signature{
        0, "MZ"sv,
        "is a PE file that holds no bzImage; a unified kernel image has to be taken apart first"},
    Signature{257, "ustar"sv, "is a tar archive, not a kernel"},
    Signature{0, "QFI\xfb"sv, "is a qcow2 disk image, not a kernel"},
};

bool is_text(ByteView file) {
  const auto head = file.bytes().first(std::min<std::size_t>(file.size(), 512));
  return std::all_of(head.begin(), head.end(), [](std::byte byte) {
    const auto value = std::to_integer<unsigned char>(byte);
    return value == '\t' || value == '\n' || value == '\r' || (value >= 0x20 && value != 0x7f);
  });
}

}  // namespace

bool looks_like_cpio(ByteView file) {
  return file.has(0, "070701") || file.has(0, "070702");
}

std::string describe_non_kernel(ByteView file) {
  if (file.size() == 0) {
    return "is empty";
  }
  for (const Signature& signature : signatures) {
    if (file.has(signature.offset, signature.bytes)) {
      return std::string(signature.words);
    }
  }
  if (const Compression format = detect_compression(file.bytes()); format != Compression::none) {
    return "is a bare " + std::string(to_string(format)) + " file (an initrd?), not a kernel";
  }
  if (is_text(file)) {
    return "is a text file, not a kernel";
  }
  return "is neither an ELF file nor a bzImage";
}

}  // namespace xl::build
