// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/x86_64/idt.hpp"

#include <cstddef>

#include "hypervisor/x86_64/apic.hpp"
#include "hypervisor/x86_64/instructions.hpp"
#include "hypervisor/x86_64/panic.hpp"
#include "hypervisor/x86_64/per_cpu.hpp"

namespace hyp::x86 {
namespace {

// APM volume 2, section 4.8.4: 64-bit interrupt gate.
struct Gate {
  std::uint16_t offset_low;
  std::uint16_t selector;
  std::uint8_t ist;
  std::uint8_t type;
  std::uint16_t offset_middle;
  std::uint32_t offset_high;
  std::uint32_t reserved;
};
static_assert(sizeof(Gate) == 16 && offsetof(Gate, offset_high) == 8);

constexpr std::uint8_t type_interrupt_gate = 0x8e;
constexpr std::uint64_t stub_size = 16;
constexpr std::uint8_t first_interrupt = 0x20;

alignas(16) constinit Gate idt[256]{};

struct TrapFrame {
  std::uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
  std::uint64_t vector, error_code;
  std::uint64_t rip, cs, flags, rsp, ss;
};

bool needs_own_stack(unsigned vector) {
  return vector == 2 || vector == 8 || vector == 18;
}

}  // namespace

extern "C" {
extern const std::uint8_t trap_stubs[];

// Called by traps.S with interrupts off.
void handle_trap(const TrapFrame* frame) {
  if (frame->vector < first_interrupt) {
    panic(
        "exception %x, error %x at %p, cr2 %p, rsp %p, rax %p, rbx %p, rcx %p, rdx %p, rsi %p, rdi "
        "%p",
        frame->vector, frame->error_code, frame->rip, read_cr2(), frame->rsp, frame->rax,
        frame->rbx, frame->rcx, frame->rdx, frame->rsi, frame->rdi);
  }
  switch (frame->vector) {
    case vector_timer: raise_flag(this_cpu(), flag_timer); break;
    case vector_kick: raise_flag(this_cpu(), flag_kick); break;
    case vector_doorbell: raise_flag(this_cpu(), flag_doorbell); break;
    case vector_halt: halt_for_ever();
    case vector_spurious: return;  // has no EOI
    default: break;
  }
  local_apic().end_of_interrupt();
}
}

void build_idt() {
  for (unsigned vector = 0; vector < 256; ++vector) {
    // SAFETY: the address of a stub as a number, never dereferenced here.
    const std::uint64_t stub = reinterpret_cast<std::uint64_t>(trap_stubs) + vector * stub_size;
    idt[vector] = Gate{static_cast<std::uint16_t>(stub),
                       selector_code,
                       static_cast<std::uint8_t>(needs_own_stack(vector) ? 1 : 0),
                       type_interrupt_gate,
                       static_cast<std::uint16_t>(stub >> 16),
                       static_cast<std::uint32_t>(stub >> 32),
                       0};
  }
}

void load_idt() {
  struct [[gnu::packed]] {
    std::uint16_t limit;
    const Gate* base;
  } pointer{sizeof(idt) - 1, idt};
  // SAFETY: build_idt() filled the table; it lives for ever.
  asm volatile("lidt %0" : : "m"(pointer) : "memory");
}

}  // namespace hyp::x86
