// SPDX-License-Identifier: Apache-2.0
// The headers of an ELF file, either class, brought into one form and checked against the file's
// size. Source: System V ABI, "Object Files".
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "libdomainbuilder/image/bytes.hpp"

namespace xl::build {

// A program header, or a note section seen as one. The bytes [offset, offset + file_size) lie
// within the file.
struct ElfSegment {
  std::uint32_t type = 0;   // PT_*
  std::uint32_t flags = 0;  // PF_*
  std::uint64_t offset = 0;
  std::uint64_t virtual_address = 0;
  std::uint64_t physical_address = 0;
  std::uint64_t file_size = 0;
  std::uint64_t memory_size = 0;
  std::uint64_t alignment = 0;
};

struct ElfFile {
  std::uint8_t elf_class = 0;  // 32 or 64; 0: not even that could be read
  std::uint16_t type = 0;      // ET_*
  std::uint16_t machine = 0;   // EM_*
  std::uint64_t entry = 0;
  std::vector<ElfSegment> loads;          // PT_LOAD with a memory size, as in the file
  std::vector<ElfSegment> notes;          // PT_NOTE
  std::vector<ElfSegment> note_sections;  // SHT_NOTE
  // The first thing that is wrong, in words that follow the file's name; what was read before it
  // stands.
  std::optional<Error> fault;
};

bool looks_like_elf(ByteView file);

ElfFile read_elf(ByteView file);

// "x86-64", "aarch64", "machine 243"; "executable", "shared object", ...
std::string machine_name(std::uint16_t machine);
std::string elf_type_name(std::uint16_t type);

}  // namespace xl::build
