// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/image/image_report.hpp"

#include <algorithm>

#include "libdomainbuilder/image/decode.hpp"
#include "libdomainbuilder/image/image_file.hpp"

namespace xl::build {

std::string_view to_string(Container value) {
  switch (value) {
    case Container::none: return "none";
    case Container::elf: return "ELF";
    case Container::bzimage: return "bzImage";
    case Container::compressed_elf: return "compressed ELF";
  }
  return "none";
}

std::string_view to_string(Compression value) {
  switch (value) {
    case Compression::none: return "none";
    case Compression::gzip: return "gzip";
    case Compression::bzip2: return "bzip2";
    case Compression::lzma: return "lzma";
    case Compression::xz: return "xz";
    case Compression::lzo: return "lzo";
    case Compression::lz4: return "lz4";
    case Compression::zstd: return "zstd";
  }
  return "none";
}

std::string_view to_string(Machine value) {
  switch (value) {
    case Machine::none: return "none";
    case Machine::i386: return "i386";
    case Machine::x86_64: return "x86-64";
    case Machine::other: return "other";
  }
  return "none";
}

std::string_view to_string(BootAbi value) {
  switch (value) {
    case BootAbi::pvh: return "PVH";
    case BootAbi::classic_pvh: return "classic PVH";
    case BootAbi::pv: return "PV";
  }
  return "none";
}

bool ImageReport::can_boot(BootAbi abi) const {
  return std::find(boot_abis.begin(), boot_abis.end(), abi) != boot_abis.end();
}

Result<ImageReport> inspect(const std::string& path) {
  XL_TRY_ASSIGN(const OpenFile file, open_file(path, "a kernel"));
  XL_TRY_ASSIGN(Decoded decoded, decode_file(file));
  return std::move(decoded.report);
}

}  // namespace xl::build
