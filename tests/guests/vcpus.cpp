// SPDX-License-Identifier: Apache-2.0
// VCPUOP_initialise, up, is_up and down of an HVM container, with a vcpu that starts in real mode
// (1), in protected mode (2) and in long mode (3).
#include "tests/guests/runtime/events.hpp"

extern "C" {
#include <xen/errno.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/vcpu.h>
}

extern "C" {
extern unsigned char guest_ap_start[], guest_ap_end[];
extern uint64_t guest_ap_stack;
extern unsigned char guest_ap_entry32[], guest_ap_entry64[], guest_pml4[];
}

namespace guest {

const char* const guest_name = "vcpus";

namespace {

constexpr Word trampoline = 0x8000;
constexpr uint32_t tag = 0xabc00000;  // EDI at the start, with the vcpu's number below
constexpr uint16_t code32 = 0xc9b, data32 = 0xc93, code16 = 0x9b, data16 = 0x93, tss = 0x8b;
alignas(16) unsigned char stacks_[4][4096];
volatile uint64_t counters_[4];
volatile bool rest_[4];  // it shall take itself down

long vcpu_op(unsigned command, unsigned vcpu, const void* argument = nullptr) {
  return hypercall(__HYPERVISOR_vcpu_op, command, vcpu, address(argument));
}

template <typename Condition>
void wait(const char* what, Condition condition) {
  for (const uint64_t end = system_time() + 20'000'000'000; !condition();) {
    check(system_time() < end, what);
    relax();
  }
}

// One limit and one base for all segments but the code's.
vcpu_hvm_context context32(unsigned vcpu, uint32_t cr0, uint32_t eip, uint32_t limit, uint16_t code,
                           uint16_t data) {
  vcpu_hvm_context context{};
  context.mode = VCPU_HVM_MODE_32B;
  vcpu_hvm_x86_32& r = context.cpu_regs.x86_32;
  r.edi = tag + vcpu;
  r.eip = eip;
  r.eflags = 2;
  r.cr0 = cr0;
  r.cs_limit = r.ds_limit = r.ss_limit = r.es_limit = limit;
  r.tr_limit = 0x67;
  r.cs_ar = code;
  r.ds_ar = r.ss_ar = r.es_ar = data;
  r.tr_ar = tss;
  return context;
}

vcpu_hvm_context in_real_mode() {
  vcpu_hvm_context context = context32(1, 0x10, 0, 0xffff, code16, data16);
  context.cpu_regs.x86_32.cs_base = trampoline;
  return context;
}

vcpu_hvm_context in_protected_mode() {
  const auto entry = static_cast<uint32_t>(address(guest_ap_entry32));
  return context32(2, 0x11, entry, ~0U, code32, data32);
}

vcpu_hvm_context in_long_mode() {
  vcpu_hvm_context context{};
  context.mode = VCPU_HVM_MODE_64B;
  vcpu_hvm_x86_64& r = context.cpu_regs.x86_64;
  r.rdi = tag + 3;
  r.rip = address(guest_ap_entry64);
  r.rflags = 2;
  r.cr0 = 0x80010011;
  r.cr3 = address(guest_pml4);
  r.cr4 = 0x20;
  r.efer = 0x500;
  return context;
}

void refuse(unsigned vcpu, const vcpu_hvm_context& context, const char* what) {
  check(vcpu_op(VCPUOP_initialise, vcpu, &context) == -XEN_EINVAL, what);
}

void refuse_nonsense() {
  vcpu_hvm_context context = in_long_mode();
  context.mode = 2;
  refuse(3, context, "initialise in a mode that there is not");
  context = in_long_mode();
  context.cpu_regs.x86_64.cr0 &= ~0x80000000ULL;
  refuse(3, context, "long mode without paging");
  context = in_long_mode();
  context.cpu_regs.x86_64.rip = 1ULL << 50;
  refuse(3, context, "a RIP that is not canonical");
  context = in_protected_mode();
  context.cpu_regs.x86_32.pad1 = 1;
  refuse(2, context, "a pad that is not zero");
  context = in_protected_mode();
  context.cpu_regs.x86_32.cs_ar = data32;
  refuse(2, context, "data as the code segment");
  context = in_protected_mode();
  context.cpu_regs.x86_32.tr_ar = 0;
  refuse(2, context, "no task register");
  context = in_real_mode();
  context.cpu_regs.x86_32.eip = 0x10000;
  refuse(1, context, "an EIP outside of the code segment");
  check(vcpu_op(VCPUOP_initialise, 1, reinterpret_cast<void*>(1ULL << 40)) == -XEN_EFAULT,
        "initialise from nowhere");
  check(vcpu_op(VCPUOP_initialise, 4, &context) == -XEN_ENOENT, "initialise of a vcpu too many");
  check(vcpu_op(VCPUOP_initialise, 0, &context) == -XEN_EEXIST, "initialise of a running vcpu");
}

void expect_counting(unsigned vcpu, const char* what) {
  const uint64_t before = counters_[vcpu];
  wait(what, [=] { return counters_[vcpu] > before + 100; });
}

void expect_standing(unsigned vcpu) {
  wait("a vcpu did not go down", [=] { return vcpu_op(VCPUOP_is_up, vcpu) == 0; });
  // It may be up to its next exit on another CPU; then it stands.
  for (uint64_t before = ~0ULL; before != counters_[vcpu];) {
    before = counters_[vcpu];
    for (const uint64_t end = system_time() + 20'000'000; system_time() < end;) {
      relax();
    }
  }
}

void start(unsigned vcpu, const vcpu_hvm_context& context) {
  check(vcpu_op(VCPUOP_is_up, vcpu) == 0, "is_up of a vcpu that never was");
  check(vcpu_op(VCPUOP_up, vcpu) == -XEN_EINVAL, "up before initialise");
  check(vcpu_op(VCPUOP_initialise, vcpu, &context) == 0, "initialise");
  check(vcpu_op(VCPUOP_initialise, vcpu, &context) == -XEN_EEXIST, "initialise twice");
  check(vcpu_op(VCPUOP_is_up, vcpu) == 0, "is_up before up");
  check(counters_[vcpu] == 0, "it ran before up");
  guest_ap_stack = address(stacks_[vcpu] + sizeof stacks_[vcpu]);
  check(vcpu_op(VCPUOP_up, vcpu) == 0, "up");
  check(vcpu_op(VCPUOP_is_up, vcpu) == 1, "is_up after up");
  check(vcpu_op(VCPUOP_up, vcpu) == 0, "up of one that is up");
  expect_counting(vcpu, "it does not run");
}

void stop_and_go(unsigned vcpu) {
  check(vcpu_op(VCPUOP_down, vcpu) == 0, "down from outside");
  expect_standing(vcpu);
  check(vcpu_op(VCPUOP_up, vcpu) == 0, "up again");
  expect_counting(vcpu, "it does not run on after down from outside");
  rest_[vcpu] = true;
  expect_standing(vcpu);
  rest_[vcpu] = false;
  check(vcpu_op(VCPUOP_up, vcpu) == 0, "up after its own down");
  expect_counting(vcpu, "it does not run on after its own down");
}

}  // namespace

void run_on_ap(uint32_t start_tag) {
  const unsigned vcpu = start_tag - tag;
  check(vcpu >= 1 && vcpu <= 3, "its registers are wrong: edi ", Hex{start_tag});
  for (;;) {
    counters_[vcpu] = counters_[vcpu] + 1;
    if (rest_[vcpu]) {
      check(vcpu_op(VCPUOP_down, vcpu) == 0, "down of itself");
    }
  }
}

void guest_main() {
  map_shared_info();
  memcpy(reinterpret_cast<void*>(trampoline), guest_ap_start,
         static_cast<Word>(guest_ap_end - guest_ap_start));
  refuse_nonsense();
  const vcpu_hvm_context contexts[] = {in_real_mode(), in_protected_mode(), in_long_mode()};
  for (unsigned vcpu = 1; vcpu <= 3; ++vcpu) {
    start(vcpu, contexts[vcpu - 1]);
    stop_and_go(vcpu);
    say("vcpu ", uint64_t{vcpu}, " ran in mode ", uint64_t{16U << (vcpu - 1)});
  }
  pass();
}

}  // namespace guest

extern "C" void guest_ap_entry(uint32_t start_tag) {
  guest::run_on_ap(start_tag);
}
