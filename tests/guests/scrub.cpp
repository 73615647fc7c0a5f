// SPDX-License-Identifier: Apache-2.0
// Looks for what an earlier domain left in memory, then leaves its own mark in every frame: run it
// again and again.
#include "tests/guests/runtime/memory.hpp"

namespace guest {

const char* const guest_name = "scrub";

namespace {

constexpr uint64_t mark = 0x7365637265742121;  // "secret!!"

template <typename Visit>
uint64_t each_free_page(Visit visit) {
  uint64_t pages = 0;
  for (unsigned i = 0; i < memory_map_entries(); ++i) {
    const MapEntry entry = memory_map_entry(i);
    if (entry.type != type_ram) {
      continue;
    }
    for (uint64_t page = entry.address; page < entry.address + entry.size; page += 4096) {
      if (!is_occupied(page)) {
        visit(at(page));
        ++pages;
      }
    }
  }
  return pages;
}

}  // namespace

void guest_main() {
  const uint64_t pages = each_free_page([](volatile uint64_t* page) {
    check(page[0] == 0 && page[511] == 0, "the frame at ", Hex{reinterpret_cast<Word>(page)},
          " holds ", Hex{page[0]});
  });
  each_free_page([](volatile uint64_t* page) {
    page[0] = mark;
    page[511] = mark;
  });
  say("marked ", pages, " pages");
  pass();
}

}  // namespace guest
