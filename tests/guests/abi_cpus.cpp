// SPDX-License-Identifier: Apache-2.0
// Says what the vcpus of a domain with four see: their place in CPUID, their registers when they
// start (1 by VCPUOP_up in protected mode, 2 by INIT and SIPI, 3 by VCPUOP_up in long mode), and
// CPUID in user mode. Whoever runs it compares.
#include "tests/guests/abi.hpp"
#include "tests/guests/runtime/abi.hpp"
#include "tests/guests/runtime/abi_layout.inc"
#include "tests/guests/runtime/traps.hpp"

extern "C" {
#include <xen/hvm/hvm_vcpu.h>
#include <xen/vcpu.h>
}

extern "C" {
extern unsigned char guest_keep16[], guest_keep16_end[], guest_keep32[], guest_ap_entry64[];
extern unsigned char guest_user_cpuid[], guest_user_done[], guest_user_back[];
extern uint64_t guest_pml4[], guest_page_directories[], guest_ap_stack, guest_kernel_stack;
extern volatile uint32_t guest_kept32;
extern volatile guest::EntryState guest_entry_state;
void guest_run_user(guest::Word rip, guest::Word rsp);
}

namespace guest {

const char* const guest_name = "abi-cpus";

namespace {

constexpr Word page = 0x9000;  // where vcpu 2 starts
constexpr uint16_t code32 = 0xc9b, data32 = 0xc93, tss32 = 0x8b;
alignas(16) unsigned char stack_[4096];  // of vcpu 3
alignas(16) unsigned char user_stack_[4096];
alignas(16) unsigned char trap_stack_[4096];

template <typename Condition>
void wait(const char* what, Condition condition) {
  for (const uint64_t end = system_time() + 20'000'000'000; !condition();) {
    check(system_time() < end, what);
    relax();
  }
}

// The places of a vcpu, as CPUID tells it of itself.
void tell_place(const char* who) {
  const auto tell = [who](const char* what, uint32_t value) {
    say(who, " cpuid ", what, " = ", Hex{value});
  };
  // How many there are is the host's on Xen, in ids that step by two.
  const uint32_t logical = cpuid(1).ebx >> 16 & 0xff;
  const uint32_t cores = (cpuid(0x80000008).ecx & 0xff) + 1;
  tell("1 ebx logical is even", logical % 2 == 0 && logical != 0);
  tell("0x80000008 ecx cores are those", cores == logical);
  tell("0x80000008 ecx ids have bits enough", 1U << (cpuid(0x80000008).ecx >> 12 & 0xf) >= cores);
  tell("1 ebx apic id", cpuid(1).ebx >> 24);
  tell("1 edx htt", cpuid(1).edx >> 28 & 1);
  for (uint32_t subleaf = 0; subleaf < 2; ++subleaf) {
    const Cpuid topology = cpuid(0xb, subleaf);
    say(who, " cpuid 0xb ", uint64_t{subleaf}, " = ", Hex{topology.eax}, " ", Hex{topology.ebx},
        " ", Hex{topology.ecx}, " ", Hex{topology.edx});
    tell(subleaf == 0 ? "4 0 eax" : "4 1 eax", cpuid(4, subleaf).eax);
  }
  tell("0x80000001 ecx cmp legacy", cpuid(0x80000001).ecx >> 1 & 1);
  const Cpuid extended = cpuid(0x8000001e);
  say(who, " cpuid 0x8000001e = ", Hex{extended.eax}, " ", Hex{extended.ebx}, " ",
      Hex{extended.ecx});
}

void start(unsigned vcpu, const vcpu_hvm_context& context) {
  check(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_initialise, vcpu, address(&context)) == 0,
        "initialise");
  check(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_up, vcpu, 0) == 0, "up");
}

void in_protected_mode() {
  vcpu_hvm_context context{};
  context.mode = VCPU_HVM_MODE_32B;
  vcpu_hvm_x86_32& r = context.cpu_regs.x86_32;
  r.eax = 0x11;
  r.ebp = 0x22;
  r.eip = static_cast<uint32_t>(address(guest_keep32));
  r.eflags = 2;
  r.cr0 = 0x11;
  r.cs_limit = r.ds_limit = r.ss_limit = r.es_limit = ~0U;
  r.tr_limit = 0x67;
  r.cs_ar = code32;
  r.ds_ar = r.ss_ar = r.es_ar = data32;
  r.tr_ar = tss32;
  start(1, context);
  wait("vcpu 1 starts", [] { return guest_kept32 != 0; });
  tell_state("up in protected mode", guest_entry_state);
}

void by_sipi() {
  memcpy(reinterpret_cast<void*>(page), guest_keep16,
         static_cast<Word>(guest_keep16_end - guest_keep16));
  const auto apic = [](uint32_t offset) -> volatile uint32_t& {
    return *reinterpret_cast<volatile uint32_t*>(0xfee00000UL + offset);
  };
  apic(0x310) = 4U << 24;  // vcpu n has APIC id 2n
  apic(0x300) = 0x4500;    // INIT
  apic(0x310) = 4U << 24;
  apic(0x300) = 0x4600 | page >> 12;
  const volatile uint32_t& kept = *reinterpret_cast<volatile uint32_t*>(page + KEPT_AT + 88);
  wait("vcpu 2 starts", [&] { return kept != 0; });
  tell_state("sipi", *reinterpret_cast<volatile EntryState*>(page + KEPT_AT));
}

volatile bool told_;

// SAFETY: reads registers.
void tell_long_mode() {
  const auto tell = [](const char* what, uint64_t value) {
    say("up in long mode ", what, " = ", Hex{value});
  };
  uint64_t value = 0;
  asm volatile("mov %%cr0, %0" : "=r"(value));
  tell("cr0", value);
  asm volatile("mov %%cr4, %0" : "=r"(value));
  tell("cr4", value);
  tell("efer", rdmsr(0xc0000080));
  asm volatile("mov %%dr6, %0" : "=r"(value));
  tell("dr6", value);
  asm volatile("mov %%dr7, %0" : "=r"(value));
  tell("dr7", value);
  asm volatile("mov %%cs, %0" : "=r"(value));
  tell("cs", value & 0xffff);
  asm volatile("mov %%ss, %0" : "=r"(value));
  tell("ss", value & 0xffff);
  asm volatile("str %0" : "=r"(value));
  tell("tr", value & 0xffff);
  tell("apic base", rdmsr(0x1b));
}

void in_long_mode() {
  vcpu_hvm_context context{};
  context.mode = VCPU_HVM_MODE_64B;
  vcpu_hvm_x86_64& r = context.cpu_regs.x86_64;
  r.rip = address(guest_ap_entry64);
  r.rflags = 2;
  r.cr0 = 0x80010011;
  r.cr3 = address(guest_pml4);
  r.cr4 = 0x20;
  r.efer = 0x500;
  guest_ap_stack = address(stack_ + sizeof stack_);
  start(3, context);
  wait("vcpu 3 starts", [] { return told_; });
}

// --- user mode ---

alignas(16) uint64_t gdt_[8] = {0,
                                0x00af9b000000ffff,  // 64-bit code
                                0x00cf93000000ffff,  // data
                                0,
                                0x00cff3000000ffff,   // USER_DATA
                                0x00affb000000ffff};  // USER_CODE
alignas(16) uint32_t tss_[26];
TrapFrame trap_;

void back_from_user(TrapFrame& frame) {
  trap_ = frame;
  frame.rip = address(guest_user_back);
  frame.rsp = guest_kernel_stack;
  frame.cs = 0x08;
  frame.ss = 0x10;
  frame.rflags = 2;
}

void prepare_user_mode() {
  const Word stack = address(trap_stack_ + sizeof trap_stack_);
  tss_[1] = static_cast<uint32_t>(stack);
  tss_[25] = sizeof tss_ << 16;                    // no I/O bitmap
  gdt_[6] = 0x890000000067 | address(tss_) << 16;  // below 16 MiB
  struct __attribute__((packed)) {
    uint16_t limit;
    uint64_t base;
  } const pointer{sizeof gdt_ - 1, address(gdt_)};
  guest_pml4[0] |= 4;
  reinterpret_cast<uint64_t*>(guest_pml4[0] & ~0xfffUL)[0] |= 4;
  for (unsigned i = 0; i < 8; ++i) {
    guest_page_directories[i] |= 4;
  }
  // SAFETY: what is mapped and the segments in use stay; user mode is let in besides.
  asm volatile("mov %0, %%cr3; lgdt %1; ltr %w2"
               :
               : "r"(address(guest_pml4)), "m"(pointer), "r"(0x30)
               : "memory");
  load_traps();
  set_trap_handler(13, back_from_user);
}

void tell_user_cpuid(const char* when) {
  guest_run_user(address(guest_user_cpuid), address(user_stack_ + sizeof user_stack_));
  say("cpuid in user mode, ", when, " = ", trap_.rip == address(guest_user_cpuid) ? "#GP" : "done",
      " ", Hex{trap_.error});
}

}  // namespace

extern "C" void guest_ap_entry() {
  tell_long_mode();
  tell_place("vcpu 3");
  told_ = true;
}

void guest_main() {
  map_shared_info();
  tell_place("vcpu 0");
  in_protected_mode();
  by_sipi();
  in_long_mode();
  prepare_user_mode();
  tell_user_cpuid("at first");
  wrmsr(0x140, 1);
  tell_user_cpuid("when it shall fault");
  wrmsr(0x140, 0);
  tell_user_cpuid("when it shall not any more");
  pass();
}

}  // namespace guest
