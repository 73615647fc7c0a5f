// SPDX-License-Identifier: Apache-2.0
// Xen's ELF notes (xen/elfnote.h), decoded. The names and numbers of the types are the ABI
// header's; what a descriptor means depends on the type: a number of 4 or 8 bytes, a string, or
// something structured that stays as bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xl::build {

// Numbers are XEN_ELFNOTE_*; the values that a file holds may lie outside.
enum class NoteType : std::uint32_t {
  info = 0,
  entry = 1,
  hypercall_page = 2,
  virt_base = 3,
  paddr_offset = 4,
  xen_version = 5,
  guest_os = 6,
  guest_version = 7,
  loader = 8,
  pae_mode = 9,
  features = 10,
  bsd_symtab = 11,
  hv_start_low = 12,
  l1_mfn_valid = 13,
  suspend_cancel = 14,
  init_p2m = 15,
  mod_start_pfn = 16,
  supported_features = 17,
  phys32_entry = 18,
};

// "PHYS32_ENTRY"; "" for a number that xen/elfnote.h does not name.
std::string_view note_name(std::uint32_t type);

struct Note {
  std::uint32_t type = 0;
  std::string name;                     // note_name(), or "unknown 0x..."
  std::uint32_t descriptor_size = 0;    // bytes, as the file has it
  std::optional<std::uint64_t> number;  // numeric types with a descriptor of 4 or 8 bytes
  std::optional<std::string>
      text;           // string types, up to the first NUL; non-printable bytes as \xNN
  std::string bytes;  // hex, of what is neither
};

// The FEATURES string, and SUPPORTED_FEATURES where there is no string for a feature.
// A feature is named as in libelf's table; "!x" means that the kernel demands x.
struct Features {
  std::vector<std::string> supported;  // ascending by XENFEAT number
  std::vector<std::string> required;
  std::vector<std::string> unknown;  // names that nobody knows, as written
  std::uint32_t supported_mask = 0;  // bit n: XENFEAT n
  std::uint32_t required_mask = 0;
};

}  // namespace xl::build
