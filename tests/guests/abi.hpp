// SPDX-License-Identifier: Apache-2.0
// What the parts of the guest `abi` share. Each tells facts, a line each.
#pragma once

#include "tests/guests/runtime/events.hpp"
#include "tests/guests/runtime/memory.hpp"

namespace guest {

inline void tell(const char* fact, uint64_t value) {
  say(fact, " = ", Hex{value});
}

template <typename... Args>
void ask(const char* call, Word number, Args... args) {
  const long result = hypercall(number, static_cast<Word>(args)...);
  if (result < 0) {
    say(call, " = -", static_cast<uint64_t>(-result));
  } else {
    say(call, " = ", static_cast<uint64_t>(result));
  }
}

inline constexpr Word nowhere = 0x800000000000UL;  // an address that is not canonical

// abi_events.cpp
void tell_events();
// abi_msrs.cpp
void tell_msrs();
// abi_hypercalls.cpp
void tell_versions();
void tell_shared_memory();
void tell_memory();
void tell_grants();
void tell_parameters();
void tell_vcpus();
void tell_others();

}  // namespace guest
