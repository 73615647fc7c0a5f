// SPDX-License-Identifier: Apache-2.0
// Says what a domain sees, a line for each fact: the state at entry, start info, CPUID, MSRs, local
// APIC, ports, and what hypercalls answer to good and to bad arguments. Whoever runs it compares.
#include "tests/guests/abi.hpp"

#include "tests/guests/runtime/abi.hpp"

extern "C" const guest::EntryState guest_entry_state;

namespace guest {

const char* const guest_name = "abi";

namespace {

void start() {
  const hvm_start_info& info = start_info();
  tell("start magic", info.magic);
  tell("start version", info.version);
  tell("start flags", info.flags);
  tell("start modules", info.nr_modules);
  tell("start rsdp", info.rsdp_paddr != 0);
  for (unsigned i = 0; i < memory_map_entries(); ++i) {
    const MapEntry entry = memory_map_entry(i);
    say("map ", Hex{entry.address}, " +", Hex{entry.size}, " = ", uint64_t{entry.type});
  }
}

// What the hypervisor decides, and not the CPU that it runs on.
void features() {
  const Cpuid base = cpuid(0x40000000);
  tell("cpuid xen leaves", base.eax);
  tell("cpuid xen version", cpuid(0x40000001).eax);
  const Cpuid pages = cpuid(0x40000002);
  tell("cpuid hypercall pages", pages.eax);
  tell("cpuid hypercall msr", pages.ebx);
  tell("cpuid features", pages.ecx);
  const Cpuid time = cpuid(0x40000003);
  tell("cpuid tsc mode", time.ebx);
  tell("cpuid tsc incarnation", time.edx);
  const Cpuid hvm = cpuid(0x40000004);
  tell("cpuid hvm features", hvm.eax);
  tell("cpuid vcpu id", hvm.ebx);
  const Cpuid pv = cpuid(0x40000005);
  tell("cpuid pv features", pv.ebx);
  const Cpuid one = cpuid(1);
  tell("cpuid apic id", one.ebx >> 24);
  tell("cpuid monitor", one.ecx >> 3 & 1);
  tell("cpuid vmx", one.ecx >> 5 & 1);
  tell("cpuid x2apic", one.ecx >> 21 & 1);
  tell("cpuid tsc deadline", one.ecx >> 24 & 1);
  tell("cpuid osxsave", one.ecx >> 27 & 1);
  tell("cpuid hypervisor", one.ecx >> 31);
  tell("cpuid mce", one.edx >> 7 & 1);
  tell("cpuid apic", one.edx >> 9 & 1);
  tell("cpuid mtrr", one.edx >> 12 & 1);
  tell("cpuid mca", one.edx >> 14 & 1);
  tell("cpuid pat", one.edx >> 16 & 1);
  tell("cpuid pse36", one.edx >> 17 & 1);
  tell("cpuid htt", one.edx >> 28 & 1);
  tell("cpuid cmp legacy", cpuid(0x80000001).ecx >> 1 & 1);
  tell("cpuid topology extensions", cpuid(0x80000001).ecx >> 22 & 1);
  tell("cpuid svm", cpuid(0x80000001).ecx >> 2 & 1);
  tell("cpuid nx", cpuid(0x80000001).edx >> 20 & 1);
  tell("cpuid invariant tsc", cpuid(0x80000007).edx >> 8 & 1);
}

void apic() {
  const auto read = [](uint32_t offset) {
    return *reinterpret_cast<volatile uint32_t*>(0xfee00000UL + offset);
  };
  tell("apic id", read(0x20));
  tell("apic version", read(0x30));
  tell("apic tpr", read(0x80));
  tell("apic ldr", read(0xd0));
  tell("apic dfr", read(0xe0));
  tell("apic svr", read(0xf0));
  tell("apic lvt timer", read(0x320));
  tell("apic lint0", read(0x350));
  tell("apic lint1", read(0x360));
}

void ports() {
  const auto in = [](uint16_t port) {
    uint8_t value = 0;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));  // SAFETY: no device is there to mind
    return value;
  };
  tell("port 0x21", in(0x21));
  tell("port 0x40", in(0x40));
  tell("port 0x61", in(0x61));
  tell("port 0x71", in(0x71));
  tell("port 0x3f8", in(0x3f8));
  tell("port 0xcf8", in(0xcf8));
}

}  // namespace

void guest_main() {
  tell_state("entry", guest_entry_state);
  start();
  features();
  tell_msrs();
  apic();
  ports();
  tell_versions();
  tell_shared_memory();
  tell_memory();
  tell_events();
  tell_grants();
  tell_parameters();
  tell_vcpus();
  tell_others();
  pass();
}

}  // namespace guest
