// SPDX-License-Identifier: Apache-2.0
// Walks the notes of one PT_NOTE segment or SHT_NOTE section and decodes those that Xen owns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libdomainbuilder/image/bytes.hpp"
#include "libdomainbuilder/image/elf_note.hpp"

namespace xl::build {

struct NoteTable {
  std::vector<Note> notes;  // Xen's, in order
  std::string fault;        // empty, or what is malformed, as a sentence without subject
};

// `alignment` is p_align or sh_addralign. Files exist whose notes do not keep the alignment that
// their header names, so the other one of 4 and 8 is tried when the first does not come out even.
NoteTable read_notes(ByteView table, std::uint64_t alignment);

// One Xen note.
Note decode_note(std::uint32_t type, std::span<const std::byte> descriptor);

// From FEATURES and SUPPORTED_FEATURES among `notes`.
Features decode_features(const std::vector<Note>& notes);

// The last note of this type, as Xen takes it; nullptr if there is none.
const Note* find_note(const std::vector<Note>& notes, NoteType type);

}  // namespace xl::build
