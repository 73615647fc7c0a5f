// SPDX-License-Identifier: Apache-2.0
// The smallest guest: finds Xen, says what it sees, and powers off. Also built as a 32-bit guest.
#include "tests/guests/runtime/runtime.hpp"

extern "C" {
#include <xen/version.h>
}

extern "C" unsigned char guest_bss_start[], guest_end[];

namespace guest {

const char* const guest_name = sizeof(Word) == 8 ? "hello" : "hello32";

namespace {
unsigned char zeroed[8192];  // the loader's business: memory beyond the file is zero

void check_zeroed() {
  for (const unsigned char octet : zeroed) {
    check(octet == 0, "bss is not zero");
  }
}
}  // namespace

void guest_main() {
  check_zeroed();
  const long version = must("XENVER_version", __HYPERVISOR_xen_version, XENVER_version, 0);
  say("hello from a ", sizeof(Word) * 8ULL, "-bit domain on Xen ",
      static_cast<uint64_t>(version >> 16), ".", static_cast<uint64_t>(version & 0xffff));
  say("start info version ", static_cast<uint64_t>(start_info().version), ", ",
      static_cast<uint64_t>(start_info().memmap_entries), " memory map entries, ",
      static_cast<uint64_t>(start_info().nr_modules), " modules");
  say("command line: ", command_line());
  pass();
}

}  // namespace guest
