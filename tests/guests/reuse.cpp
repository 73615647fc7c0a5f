// SPDX-License-Identifier: Apache-2.0
// 256 functions, each in a page of its own, each returning a number that is in its code only. Built
// twice with other numbers at the same addresses: where an emulated CPU still runs the code of the
// domain that had the frames before, the functions return that one's numbers.
#include "tests/guests/runtime/runtime.hpp"

#ifndef XL_REUSE_BASE
#error "XL_REUSE_BASE is what makes the two builds differ"
#endif

#define XL_TEXT_(x) #x
#define XL_TEXT(x) XL_TEXT_(x)

// Each: mov $(base + index), %eax; ret
asm(".pushsection .text.reuse, \"ax\"\n"
    ".balign 4096\n"
    ".globl reuse_functions\n"
    "reuse_functions:\n"
    "reuse_index = 0\n"
    ".rept 256\n"
    ".balign 4096\n"
    "mov $(" XL_TEXT(XL_REUSE_BASE) " + reuse_index), %eax\n"
    "ret\n"
    "reuse_index = reuse_index + 1\n"
    ".endr\n"
    ".balign 4096\n"
    ".popsection\n");

extern "C" unsigned char reuse_functions[];

namespace guest {

const char* const guest_name = "reuse";

void guest_main() {
  for (uint64_t round = 0; round < 50; ++round) {
    for (uint32_t index = 0; index < 256; ++index) {
      const auto function = reinterpret_cast<uint32_t (*)()>(reuse_functions + index * 4096);
      const uint32_t value = function();
      check(value == XL_REUSE_BASE + index, "function ", static_cast<uint64_t>(index), " returned ",
            static_cast<uint64_t>(value), ": the code of another domain ran");
    }
  }
  say("reuse from ", static_cast<uint64_t>(XL_REUSE_BASE));
  pass();
}

}  // namespace guest
