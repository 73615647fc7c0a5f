// SPDX-License-Identifier: Apache-2.0
// The memory map: the hypercall and the start info agree, RAM works at every edge and is zero,
// holes read as ones. Prints "RAM <MiB>", which the test compares with the domain's configuration.
#include "tests/guests/runtime/memory.hpp"

extern "C" {
#include <xen/errno.h>
#include <xen/memory.h>
}

namespace guest {

const char* const guest_name = "memory";

namespace {

struct E820Entry {  // as the hypercall writes it: 20 octets
  uint64_t address, size;
  uint32_t type;
} __attribute__((packed));

E820Entry asked_[128];

void check_order() {
  uint64_t end = 0;
  for (unsigned i = 0; i < memory_map_entries(); ++i) {
    const MapEntry entry = memory_map_entry(i);
    check(entry.size != 0, "map entry ", static_cast<uint64_t>(i), " is empty");
    check(entry.address >= end, "map entry ", static_cast<uint64_t>(i), " overlaps the one before");
    end = entry.address + entry.size;
    check(end > entry.address, "map entry ", static_cast<uint64_t>(i), " wraps");
  }
}

void check_hypercall() {
  xen_memory_map request{};
  request.nr_entries = 128;
  request.buffer.p = asked_;
  must("XENMEM_memory_map", __HYPERVISOR_memory_op, XENMEM_memory_map, address(&request));
  check(request.nr_entries == memory_map_entries(), "the hypercall has ",
        static_cast<uint64_t>(request.nr_entries), " entries, the start info ",
        static_cast<uint64_t>(memory_map_entries()));
  for (unsigned i = 0; i < request.nr_entries; ++i) {
    const MapEntry entry = memory_map_entry(i);
    check(asked_[i].address == entry.address && asked_[i].size == entry.size &&
              asked_[i].type == entry.type,
          "map entry ", static_cast<uint64_t>(i), " differs");
  }
  request.buffer.p = reinterpret_cast<void*>(0x800000000000UL);
  request.nr_entries = 128;
  check(hypercall(__HYPERVISOR_memory_op, XENMEM_memory_map, address(&request)) == -XEN_EFAULT,
        "a bad buffer is EFAULT");
}

void touch(uint64_t physical) {
  if (is_occupied(physical)) {
    return;
  }
  volatile uint64_t* word = at(physical & ~7ULL);
  check(*word == 0, "fresh memory at ", Hex{physical}, " holds ", Hex{*word});
  *word = physical ^ 0x5a5a5a5a5a5a5a5a;
}

void verify(uint64_t physical) {
  if (is_occupied(physical)) {
    return;
  }
  const uint64_t value = *at(physical & ~7ULL);
  check(value == (physical ^ 0x5a5a5a5a5a5a5a5a), "memory at ", Hex{physical}, " reads back ",
        Hex{value});
}

// Both ends of each RAM range, and of each 2 MiB in it: every large page has a frame of its own.
template <typename Visit>
void each_edge(Visit visit) {
  for (unsigned i = 0; i < memory_map_entries(); ++i) {
    const MapEntry entry = memory_map_entry(i);
    if (entry.type != type_ram) {
      continue;
    }
    const uint64_t end = entry.address + entry.size;
    for (uint64_t block = entry.address; block < end; block = (block | 0x1fffff) + 1) {
      const uint64_t last = (block | 0x1fffff) + 1 < end ? (block | 0x1fffff) + 1 : end;
      visit(block);
      if (last - 8 != block) {
        visit(last - 8);
      }
    }
  }
}

void check_holes() {
  const uint64_t hole = 0xf0000000;  // between RAM and the special pages
  check(*at(hole) == ~0ULL, "a hole reads ", Hex{*at(hole)});
  *at(hole) = 1;
  check(*at(hole) == ~0ULL, "a hole keeps what is written");
}

uint64_t ram_size() {
  uint64_t size = 0;
  for (unsigned i = 0; i < memory_map_entries(); ++i) {
    const MapEntry entry = memory_map_entry(i);
    size += entry.type == type_ram ? entry.size : 0;
  }
  return size;
}

}  // namespace

void guest_main() {
  check_order();
  check_hypercall();
  each_edge(touch);
  each_edge(verify);
  check_holes();
  say("RAM ", ram_size() >> 20, " MiB, ", static_cast<uint64_t>(memory_map_entries()), " entries");
  pass();
}

}  // namespace guest
