// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/runtime/abi.hpp"

#include "tests/guests/runtime/runtime.hpp"

namespace guest {

void tell_state(const char* when, const volatile EntryState& state) {
  const auto tell = [when](const char* what, uint32_t value) {
    say(when, " ", what, " = ", Hex{value});
  };
  tell("eax", state.eax);
  tell("ecx", state.ecx);
  tell("edx", state.edx);
  tell("esi", state.esi);
  tell("edi", state.edi);
  tell("ebp", state.ebp);
  tell("esp", state.esp);
  tell("eflags", state.eflags);
  tell("cr0", state.cr0);
  tell("cr3", state.cr3);
  tell("cr4", state.cr4);
  tell("efer", state.efer);
  tell("dr6", state.dr6);
  tell("dr7", state.dr7);
  tell("cs", state.cs);
  tell("ds", state.ds);
  tell("fs", state.fs);
  tell("tr", state.tr);
  tell("gdt limit", state.gdt_limit);
  tell("idt limit", state.idt_limit);
}

}  // namespace guest
