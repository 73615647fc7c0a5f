// SPDX-License-Identifier: Apache-2.0
// Exceptions: those that the CPU raises by itself, and those that the hypervisor raises for what it
// intercepts.
#include "tests/guests/runtime/runtime.hpp"
#include "tests/guests/runtime/traps.hpp"

namespace guest {

const char* const guest_name = "exceptions";

namespace {

struct Seen {
  unsigned count;
  uint64_t vector, error, cr2;
};

volatile uint64_t resume_;  // where the faulting attempt goes on
Seen seen_;

uint64_t read_cr2() {
  uint64_t value = 0;
  // SAFETY: reads a register.
  asm volatile("mov %%cr2, %0" : "=r"(value));
  return value;
}

void on_fault(TrapFrame& frame) {
  seen_ = {seen_.count + 1, frame.vector, frame.error, read_cr2()};
  frame.rip = resume_;
}

void on_trap(TrapFrame& frame) {
  seen_ = {seen_.count + 1, frame.vector, frame.error, 0};
}

void on_single_step(TrapFrame& frame) {
  on_trap(frame);
  frame.rflags &= ~0x100UL;
}

// Runs one faulting instruction; the handler goes on behind it. A macro, as the instruction is
// text.
#define ATTEMPT(instruction, ...)                                                      \
  do {                                                                                 \
    seen_ = {};                                                                        \
    asm volatile("lea 1f(%%rip), %%r15\n\tmov %%r15, %[resume]\n\t" instruction "\n1:" \
                 : [resume] "=m"(resume_)                                              \
                 : __VA_ARGS__                                                         \
                 : "r15", "rax", "rcx", "rdx", "memory", "cc");                        \
  } while (false)

void expect(const char* what, uint64_t vector, uint64_t error) {
  check(seen_.count == 1, what, " raised ", static_cast<uint64_t>(seen_.count), " exceptions");
  check(seen_.vector == vector, what, " raised vector ", seen_.vector);
  check(seen_.error == error, what, " has error code ", Hex{seen_.error});
}

void check_by_cpu() {
  ATTEMPT("xor %%edx, %%edx; mov $1, %%eax; mov $0, %%ecx; div %%ecx");
  expect("a division by zero", 0, 0);
  ATTEMPT("ud2");
  expect("ud2", 6, 0);
  ATTEMPT("mov $0x8000000000000000, %%rax; mov (%%rax), %%al");
  expect("an address that is not canonical", 13, 0);
  ATTEMPT("mov $0xfff8, %%eax; mov %%eax, %%fs");
  expect("a selector beyond the table", 13, 0xfff8);
  ATTEMPT("mov $0x4000000000, %%rax; movb $1, (%%rax)");  // 256 GiB: nothing is mapped there
  expect("a write to a page that is not there", 14, 2);
  check(seen_.cr2 == 0x4000000000, "CR2 is ", Hex{seen_.cr2});
  ATTEMPT("mov $0x4000000123, %%rax; mov (%%rax), %%al");
  expect("a read of a page that is not there", 14, 0);
  check(seen_.cr2 == 0x4000000123, "CR2 is ", Hex{seen_.cr2});
}

void check_traps() {
  ATTEMPT("int3");
  expect("int3", 3, 0);
  ATTEMPT("int $0x80");
  expect("int 0x80", 0x80, 0);
  ATTEMPT("pushf; orl $0x100, (%%rsp); popf; nop");
  expect("a single step", 1, 0);
}

// What the hypervisor intercepts has to look as on a CPU that does not have it.
void check_by_hypervisor() {
  ATTEMPT("mov $0xc0001234, %%ecx; rdmsr");
  expect("an MSR that does not exist", 13, 0);
  ATTEMPT("mov $0xc0001234, %%ecx; xor %%eax, %%eax; xor %%edx, %%edx; wrmsr");
  expect("a write to an MSR that does not exist", 13, 0);
  ATTEMPT("xor %%eax, %%eax; vmrun");
  expect("vmrun", 6, 0);
  ATTEMPT("xor %%eax, %%eax; vmload");
  expect("vmload", 6, 0);
  ATTEMPT("stgi");
  expect("stgi", 6, 0);
  ATTEMPT("clgi");
  expect("clgi", 6, 0);
  ATTEMPT("mov $0xc0000080, %%ecx; mov $0xffffffff, %%eax; mov $0xffffffff, %%edx; wrmsr");
  expect("all ones into EFER", 13, 0);
}

void check_cpuid_and_ports() {
  for (unsigned i = 0; i < 100; ++i) {
    check(cpuid(0).ebx != 0, "CPUID leaf 0 has no vendor");
    check(cpuid(0x40000000).ebx == 0x566e6558, "CPUID leaf 0x40000000 changed");
  }
  check((cpuid(0x80000001).ecx & 4) == 0, "SVM is offered to the guest");
  uint32_t value = 0;
  // SAFETY: no device is there; the port reads all ones and the write goes nowhere.
  asm volatile("xor %%eax, %%eax; in %%dx, %%eax" : "=a"(value) : "d"(0x3f8));
  check(value == 0xffffffff, "an absent port reads ", Hex{value});
  asm volatile("xor %%eax, %%eax; in %%dx, %%al" : "=a"(value) : "d"(0x60));
  check(value == 0xff, "an absent port reads ", Hex{value});
  asm volatile("mov $0x1234567, %%eax; in %%dx, %%ax" : "=a"(value) : "d"(0xcf8));
  check(value == 0x123ffff, "a 16-bit port read changes the upper half: ", Hex{value});
  asm volatile("out %%al, %%dx" : : "a"(1), "d"(0x80));
}

}  // namespace

void guest_main() {
  constexpr unsigned faults[] = {0, 6, 13, 14};
  for (const unsigned vector : faults) {
    set_trap_handler(vector, on_fault);
  }
  set_trap_handler(3, on_trap);
  set_trap_handler(0x80, on_trap);
  set_trap_handler(1, on_single_step);
  check_by_cpu();
  check_traps();
  check_by_hypervisor();
  check_cpuid_and_ports();
  pass();
}

}  // namespace guest
