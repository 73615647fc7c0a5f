// SPDX-License-Identifier: Apache-2.0
// What a 32-bit kernel finds in its registers.
#include "tests/guests/runtime/abi.hpp"
#include "tests/guests/runtime/runtime.hpp"

extern "C" const guest::EntryState guest_entry_state;

namespace guest {

const char* const guest_name = "abi32";

void guest_main() {
  tell_state("32-bit entry", guest_entry_state);
  pass();
}

}  // namespace guest
