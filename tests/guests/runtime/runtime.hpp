// SPDX-License-Identifier: Apache-2.0
// What every tiny guest has: the start info, the console, and a verdict. A guest is one file with
// `guest_name` and guest_main(); it ends in pass() or fail(), which print the line that the vm
// tests look for and shut the domain down.
#pragma once

#include <stdint.h>

#include "tests/guests/runtime/hypercall.hpp"

extern "C" {
#include <xen/arch-x86/hvm/start_info.h>
}

namespace guest {

extern const char* const guest_name;  // each guest defines it: "hello"
void guest_main();                    // each guest defines it

const hvm_start_info& start_info();  // valid for the guest's life
const char* command_line();          // "" if there is none
// The number behind "key=" in the command line, decimal or 0x; `fallback` if the key is not there.
uint64_t option(const char* key, uint64_t fallback);
bool has_word(const char* word);  // a whole word of the command line

uint64_t hvm_param(uint32_t index);  // fails the guest if it cannot be read

void print(
    const char* text);  // to the console ring; "\n" becomes "\r\n"; waits while the ring is full
void print(uint64_t number);
struct Hex {
  uint64_t value;
};
void print(Hex number);

template <typename... Parts>
void say(const Parts&... parts) {  // one line
  (print(parts), ...);
  print("\n");
}

[[noreturn]] void shut_down(unsigned reason);  // SCHEDOP_shutdown
[[noreturn]] void pass();                      // "PASS <name>", SHUTDOWN_poweroff
[[noreturn]] void failed();                    // SHUTDOWN_crash

template <typename... Parts>
[[noreturn]] void fail(const Parts&... reason) {  // "FAIL <name>: reason"
  say("FAIL ", guest_name, ": ", reason...);
  failed();
}

template <typename... Parts>
void check(bool condition, const Parts&... what) {
  if (!condition) {
    fail(what...);
  }
}

// A hypercall that has to succeed.
template <typename... Args>
long must(const char* what, Word number, Args... args) {
  const long result = hypercall(number, static_cast<Word>(args)...);
  check(result >= 0, what, " gave -", static_cast<uint64_t>(-result));
  return result;
}

}  // namespace guest

extern "C" {
void* memcpy(void* to, const void* from, __SIZE_TYPE__ size);
void* memset(void* to, int value, __SIZE_TYPE__ size);
}
