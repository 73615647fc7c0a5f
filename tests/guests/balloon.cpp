// SPDX-License-Identifier: Apache-2.0
// What a balloon driver does: gives memory back and takes it again, touched and untouched, in long
// lists. For a domain with less memory than maxmem.
#include "tests/guests/runtime/memory.hpp"

extern "C" {
#include <xen/errno.h>
#include <xen/memory.h>
}

namespace guest {

const char* const guest_name = "balloon";

namespace {

constexpr uint64_t page = 4096;
constexpr uint64_t large = 512;  // pages
xen_pfn_t list_[8192];

Word reservation(unsigned command, uint64_t count, unsigned order = 0, unsigned flags = 0) {
  xen_memory_reservation request{};
  request.extent_start.p = list_;
  request.nr_extents = count;
  request.extent_order = order;
  request.mem_flags = flags;
  request.domid = DOMID_SELF;
  return static_cast<Word>(hypercall(__HYPERVISOR_memory_op, command, address(&request)));
}

Word ask(unsigned command) {
  domid_t self = DOMID_SELF;
  return static_cast<Word>(hypercall(__HYPERVISOR_memory_op, command, address(&self)));
}

void list_from(uint64_t first, uint64_t count, uint64_t step = 1) {
  for (uint64_t i = 0; i < count; ++i) {
    list_[i] = first + i * step;
  }
}

// The last 2 MiB-aligned stretch of RAM of this many large pages that nothing lies in.
uint64_t top_of_ram(uint64_t larges) {
  uint64_t found = 0;
  for (unsigned i = 0; i < memory_map_entries(); ++i) {
    const MapEntry entry = memory_map_entry(i);
    if (entry.type == type_ram && entry.size >= (larges + 8) * large * page) {
      found = ((entry.address + entry.size) / page / large - larges) * large;
    }
  }
  check(found != 0, "no room in the memory map");
  return found;
}

void expect(Word got, uint64_t wanted, const char* what) {
  check(got == static_cast<Word>(wanted), what, ": ", static_cast<uint64_t>(got), ", not ", wanted);
}

// Frames go and come, and are zero when they come.
void give_and_take(uint64_t gfn) {
  for (uint64_t i = 0; i < large; ++i) {
    *at((gfn + i) * page) = ~i;
  }
  list_from(gfn, large);
  expect(reservation(XENMEM_decrease_reservation, large), large, "given back");
  check(*at(gfn * page) == ~0ULL, "what was given back is still there");
  expect(reservation(XENMEM_decrease_reservation, large), 0, "given back twice");
  expect(reservation(XENMEM_populate_physmap, large), large, "taken");
  for (uint64_t i = 0; i < large; ++i) {
    check(*at((gfn + i) * page) == 0, "a new frame is not zero at ", Hex{(gfn + i) * page});
  }
  *at(gfn * page) = 1;
  expect(reservation(XENMEM_populate_physmap, 1), 1, "taken twice");
  check(*at(gfn * page) == 0, "what was there before is still there");
}

// Large pages that were never touched cost nothing to give.
void give_untouched(uint64_t gfn, uint64_t larges) {
  list_from(gfn, larges, large);
  expect(reservation(XENMEM_decrease_reservation, larges, 9), larges, "large ones given back");
  check(*at(gfn * page) == ~0ULL, "a promise that was given back is kept");
}

// Lists that take longer than the hypervisor likes to stay; a bad entry ends them.
void long_lists(uint64_t gfn) {
  list_from(gfn, 8 * large);
  expect(reservation(XENMEM_decrease_reservation, 8 * large), 8 * large, "a long list");
  list_from(gfn, large);
  list_[100] = ~0ULL;
  expect(reservation(XENMEM_populate_physmap, large), 100, "up to the bad entry");
  expect(reservation(XENMEM_decrease_reservation, large), 100, "and back");
  expect(reservation(XENMEM_populate_physmap, 1, 10), 0, "too large an order");
  list_from(gfn, 1);
  expect(reservation(XENMEM_populate_physmap, 1, 0, XENMEMF_populate_on_demand), 0,
         "a promise to itself");
  expect(reservation(XENMEM_increase_reservation, 1), 1, "frames without a place");
}

}  // namespace

void guest_main() {
  constexpr uint64_t untouched = 8;
  const uint64_t top = top_of_ram(untouched + 9);
  const Word before = ask(XENMEM_current_reservation);
  check(before > 0 && before <= ask(XENMEM_maximum_reservation), "the reservation is ",
        static_cast<uint64_t>(before));
  xen_pod_target pod{};
  pod.domid = DOMID_SELF;
  check(hypercall(__HYPERVISOR_memory_op, XENMEM_set_pod_target, address(&pod)) == -XEN_EPERM,
        "a guest sets its own target");
  give_and_take(top + untouched * large);
  give_untouched(top, untouched);
  long_lists(top + (untouched + 1) * large);
  say("reservation ", static_cast<uint64_t>(before), " then ",
      static_cast<uint64_t>(ask(XENMEM_current_reservation)));
  pass();
}

}  // namespace guest
