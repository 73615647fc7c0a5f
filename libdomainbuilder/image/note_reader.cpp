// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/image/note_reader.hpp"

#include <elf.h>
#include <fmt/format.h>

namespace xl::build {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view xen_owner = "Xen\0"sv;
// A table of notes is small; more is an attempt to keep somebody busy.
constexpr std::size_t max_notes = 1024;

// Up to the next multiple of `alignment`; false if that does not fit.
bool align_up(std::uint64_t& value, std::uint64_t alignment) {
  return !__builtin_add_overflow(value, alignment - 1, &value) &&
         ((value &= ~(alignment - 1)), true);
}

NoteTable walk(ByteView table, std::uint64_t alignment) {
  NoteTable found;
  std::uint64_t at = 0;
  for (unsigned index = 0; at + sizeof(Elf64_Nhdr) <= table.size(); ++index) {
    const Elf64_Nhdr header = *table.read<Elf64_Nhdr>(at);  // the same in both classes
    const std::uint64_t name_at = at + sizeof header;
    std::uint64_t descriptor_at = name_at + header.n_namesz;
    if (index == max_notes || !table.contains(name_at, header.n_namesz) ||
        !align_up(descriptor_at, alignment) || !table.contains(descriptor_at, header.n_descsz)) {
      found.fault = fmt::format(
          "its note {} has a name of {} and a descriptor of {} bytes, which do not fit into the "
          "{} bytes of the note table",
          index, header.n_namesz, header.n_descsz, table.size());
      return found;
    }
    if (header.n_namesz == xen_owner.size() && table.has(name_at, xen_owner)) {
      found.notes.push_back(
          decode_note(header.n_type, table.sub(descriptor_at, header.n_descsz)->bytes()));
    }
    at = descriptor_at + header.n_descsz;
    if (!align_up(at, alignment)) {
      break;
    }
  }
  return found;
}

}  // namespace

NoteTable read_notes(ByteView table, std::uint64_t alignment) {
  const std::uint64_t first = alignment == 8 ? 8 : 4;
  NoteTable found = walk(table, first);
  if (found.fault.empty()) {
    return found;
  }
  NoteTable other = walk(table, 12 - first);
  return other.fault.empty() ? other : found;
}

const Note* find_note(const std::vector<Note>& notes, NoteType type) {
  const Note* last = nullptr;
  for (const Note& note : notes) {
    if (note.type == static_cast<std::uint32_t>(type)) {
      last = &note;
    }
  }
  return last;
}

}  // namespace xl::build
