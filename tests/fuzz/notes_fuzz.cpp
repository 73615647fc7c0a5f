// SPDX-License-Identifier: Apache-2.0
// A note table behind one octet whose lowest bit chooses the alignment. Beyond "no crash": what is
// decoded is printable and is a number, a text or bytes, never two of them; whether a table is at
// fault does not depend on the alignment that is named first.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "libdomainbuilder/image/note_reader.hpp"

namespace {

using namespace xl::build;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

bool is_printable(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
  const ByteView table(bytes.subspan(1));
  const std::uint64_t alignment = (data[0] & 1) != 0 ? 8 : 4;
  const NoteTable found = read_notes(table, alignment);
  for (const Note& note : found.notes) {
    require(!note.name.empty());
    require(!(note.number && note.text));
    require(!note.text || is_printable(*note.text));
    require(is_printable(note.bytes));
  }
  const Features features = decode_features(found.notes);
  require((features.required_mask & ~features.supported_mask) == 0);
  // A fault means that neither alignment comes out even, so the other one finds a fault too.
  require(found.fault.empty() == read_notes(table, 12 - alignment).fault.empty());
  return 0;
}
