// SPDX-License-Identifier: Apache-2.0
// ImageReport: what the tool sees in a kernel file, for a person (`xl inspect`) and for the
// builder, which boots what it says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "libdomainbuilder/image/elf_note.hpp"

namespace xl::build {

enum class Container : std::uint8_t { none, elf, bzimage, compressed_elf };
enum class Compression : std::uint8_t { none, gzip, bzip2, lzma, xz, lzo, lz4, zstd };
enum class Machine : std::uint8_t { none, i386, x86_64, other };
enum class BootAbi : std::uint8_t {
  pvh,          // note PHYS32_ENTRY: 32-bit entry with hvm_start_info
  classic_pvh,  // no such note; PV entry that asks for auto_translated_physmap: recognised, not
                // booted yet
  pv,           // PV entry: recognised, not booted
};

std::string_view to_string(Container value);    // "ELF", "bzImage", "compressed ELF", "none"
std::string_view to_string(Compression value);  // "gzip", ...
std::string_view to_string(Machine value);      // "i386", "x86-64", ...
std::string_view to_string(BootAbi value);      // "PVH", "classic PVH", "PV"

// One LOAD segment. Addresses are physical, as the file has them.
struct SegmentReport {
  GuestPhys physical;
  std::uint64_t virtual_address = 0;
  std::uint64_t offset = 0;  // in the ELF file
  Bytes file_size;
  Bytes memory_size;
  std::uint32_t flags = 0;  // PF_R 4, PF_W 2, PF_X 1
};

struct ImageReport {
  std::string path;
  Bytes file_size;
  Container container = Container::none;
  Compression compression = Compression::none;
  std::string boot_protocol;   // bzImage: "2.15"
  std::string kernel_version;  // bzImage: the banner, printable characters only
  Bytes image_size;            // of the ELF file inside
  std::uint8_t elf_class = 0;  // 32 or 64; 0: no ELF seen
  Machine machine = Machine::none;
  std::string machine_name;             // "x86-64", "aarch64", "EM_..."
  std::string elf_type;                 // "executable", "shared object", "relocatable", ...
  std::uint64_t entry = 0;              // e_entry
  std::vector<SegmentReport> segments;  // as in the file
  std::vector<Note> notes;              // Xen's, as in the file
  Features features;
  std::vector<BootAbi> boot_abis;  // best first
  // One sentence each: why this file does not boot, or what looks wrong though it boots.
  std::vector<std::string> problems;

  bool can_boot(BootAbi abi) const;
};

// Reads and decodes `path`. A file that is no kernel at all gives a report with problems, so that
// it can be shown; an Error only when the file cannot be read (not_found, permission_denied, io).
Result<ImageReport> inspect(const std::string& path);

}  // namespace xl::build
