// SPDX-License-Identifier: Apache-2.0
// Says what a domain sees, a line for each fact: the state at entry, start info, CPUID, MSRs, local
// APIC, ports, and what hypercalls answer to good and to bad arguments. Whoever runs it compares.
#include "tests/guests/runtime/abi.hpp"
#include "tests/guests/runtime/events.hpp"
#include "tests/guests/runtime/memory.hpp"
#include "tests/guests/runtime/traps.hpp"

extern "C" {
#include <xen/errno.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/version.h>
}

extern "C" const guest::EntryState guest_entry_state;

namespace guest {

const char* const guest_name = "abi";

namespace {

void tell(const char* fact, uint64_t value) {
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

void entry() {
  const EntryState& state = guest_entry_state;
  tell("entry eax", state.eax);
  tell("entry ecx", state.ecx);
  tell("entry edx", state.edx);
  tell("entry esi", state.esi);
  tell("entry edi", state.edi);
  tell("entry ebp", state.ebp);
  tell("entry esp", state.esp);
  tell("entry eflags", state.eflags);
  tell("entry cr0", state.cr0);
  tell("entry cr3", state.cr3);
  tell("entry cr4", state.cr4);
  tell("entry efer", state.efer);
  tell("entry dr6", state.dr6);
  tell("entry dr7", state.dr7);
  tell("entry cs", state.cs);
  tell("entry ds", state.ds);
  tell("entry fs", state.fs);
  tell("entry tr", state.tr);
  tell("entry gdt limit", state.gdt_limit);
  tell("entry idt limit", state.idt_limit);
}

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
  tell("cpuid svm", cpuid(0x80000001).ecx >> 2 & 1);
  tell("cpuid nx", cpuid(0x80000001).edx >> 20 & 1);
  tell("cpuid invariant tsc", cpuid(0x80000007).edx >> 8 & 1);
}

volatile bool faulted_;

void skip_msr(TrapFrame& frame) {
  faulted_ = true;
  frame.rip += 2;
}

void msr(const char* name, uint32_t index) {
  faulted_ = false;
  const uint64_t value = rdmsr(index);
  if (faulted_) {
    say("msr ", name, " = #GP");
  } else {
    say("msr ", name, " = ", Hex{value});
  }
}

void msrs() {
  set_trap_handler(13, skip_msr);
  msr("APIC_BASE", 0x1b);
  msr("FEATURE_CONTROL", 0x3a);
  msr("PLATFORM_INFO", 0xce);
  msr("MTRRcap", 0xfe);
  msr("MISC_ENABLE", 0x1a0);
  msr("MTRRphysBase0", 0x200);
  msr("MTRRfix64K", 0x250);
  msr("MTRRdefType", 0x2ff);
  msr("x2APIC ID in xAPIC mode", 0x802);
  msr("TSC_DEADLINE", 0x6e0);
  msr("hypercall page", 0x40000000);
  msr("one that is not there", 0x12345);
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

const Word nowhere = 0x800000000000UL;  // an address that is not canonical

void versions() {
  char text[1024] = {};
  constexpr Word op = __HYPERVISOR_xen_version;
  ask("version", op, XENVER_version, 0);
  ask("version extra", op, XENVER_extraversion, address(text));
  say("version extra text = ", static_cast<const char*>(text));
  ask("version capabilities", op, XENVER_capabilities, address(text));
  say("version capabilities text = ", static_cast<const char*>(text));
  ask("version pagesize", op, XENVER_pagesize, 0);
  ask("version pagesize of something", op, XENVER_pagesize, 1);
  ask("version compile info nowhere", op, XENVER_compile_info, nowhere);
  ask("version guest handle", op, XENVER_guest_handle, address(text));
  ask("version changeset", op, XENVER_changeset, address(text));
  ask("version commandline", op, XENVER_commandline, address(text));
  say("version commandline text = ", static_cast<const char*>(text));
  ask("version platform parameters", op, XENVER_platform_parameters, address(text));
  for (uint32_t map = 0; map < 3; ++map) {
    xen_feature_info features{map, 0};
    const long result = hypercall(op, XENVER_get_features, address(&features));
    say("features ", uint64_t{map}, " = ", Hex{features.submap}, ", ", uint64_t{result == 0});
  }
  ask("version build id", op, XENVER_build_id, 0);
  ask("version unknown", op, 99, address(text));
}

void memory() {
  constexpr Word op = __HYPERVISOR_memory_op;
  domid_t self = DOMID_SELF;
  domid_t other = 0;
  ask("memory current reservation of dom0", op, XENMEM_current_reservation, address(&other));
  ask("memory maximum gpfn of nobody", op, XENMEM_maximum_gpfn, nowhere);
  must("current reservation", op, XENMEM_current_reservation, address(&self));
  xen_memory_map map{};
  ask("memory machine map", op, XENMEM_machine_memory_map, address(&map));
  ask("memory map without room", op, XENMEM_memory_map, address(&map));
  xen_add_to_physmap add{DOMID_SELF, 0, XENMAPSPACE_gmfn, 1, 1};
  ask("memory add own frame", op, XENMEM_add_to_physmap, address(&add));
  add = {DOMID_SELF, 0, XENMAPSPACE_grant_table, 100000, 0xfe701};
  ask("memory add grant frame beyond", op, XENMEM_add_to_physmap, address(&add));
  add = {DOMID_SELF, 0, XENMAPSPACE_shared_info, 1, 0xfe701};
  ask("memory add second shared info", op, XENMEM_add_to_physmap, address(&add));
  add = {DOMID_SELF, 0, 99, 0, 0xfe701};
  ask("memory add unknown space", op, XENMEM_add_to_physmap, address(&add));
  add = {0, 0, XENMAPSPACE_shared_info, 0, 0xfe701};
  ask("memory add for dom0", op, XENMEM_add_to_physmap, address(&add));
  xen_pod_target target{};
  ask("memory pod target", op, XENMEM_set_pod_target, address(&target));
  ask("memory unknown", op, 99, 0);
  ask("memory nowhere", op, XENMEM_memory_map, nowhere);
}

void events() {
  evtchn_alloc_unbound unbound{DOMID_SELF, 0, 0};
  ask("event alloc", __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, address(&unbound));
  tell("event first port", unbound.port);
  const auto on = [](const char* name, int command, auto request) {
    ask(name, __HYPERVISOR_event_channel_op, command, address(&request));
  };
  on("event alloc for nobody", EVTCHNOP_alloc_unbound, evtchn_alloc_unbound{DOMID_SELF, 0x7000, 0});
  on("event alloc in dom0", EVTCHNOP_alloc_unbound, evtchn_alloc_unbound{0, DOMID_SELF, 0});
  on("event bind nobody's", EVTCHNOP_bind_interdomain, evtchn_bind_interdomain{0x7000, 1, 0});
  on("event bind port 0", EVTCHNOP_bind_interdomain, evtchn_bind_interdomain{DOMID_SELF, 0, 0});
  on("event bind beyond", EVTCHNOP_bind_interdomain,
     evtchn_bind_interdomain{DOMID_SELF, 1U << 20, 0});
  on("event virq timer", EVTCHNOP_bind_virq, evtchn_bind_virq{VIRQ_TIMER, 0, 0});
  on("event virq timer again", EVTCHNOP_bind_virq, evtchn_bind_virq{VIRQ_TIMER, 0, 0});
  on("event virq of no vcpu", EVTCHNOP_bind_virq, evtchn_bind_virq{VIRQ_TIMER, 99, 0});
  on("event virq unknown", EVTCHNOP_bind_virq, evtchn_bind_virq{99, 0, 0});
  on("event virq console", EVTCHNOP_bind_virq, evtchn_bind_virq{VIRQ_CONSOLE, 0, 0});
  on("event ipi of no vcpu", EVTCHNOP_bind_ipi, evtchn_bind_ipi{99, 0});
  on("event send port 0", EVTCHNOP_send, evtchn_send{0});
  on("event send unbound", EVTCHNOP_send, evtchn_send{unbound.port});
  on("event send beyond", EVTCHNOP_send, evtchn_send{1U << 20});
  on("event close port 0", EVTCHNOP_close, evtchn_close{0});
  on("event close free port", EVTCHNOP_close, evtchn_close{900});
  on("event unmask beyond", EVTCHNOP_unmask, evtchn_unmask{1U << 20});
  on("event status of free port", EVTCHNOP_status, evtchn_status{DOMID_SELF, 900});
  on("event status beyond", EVTCHNOP_status, evtchn_status{DOMID_SELF, 1U << 20});
  on("event status of dom0", EVTCHNOP_status, evtchn_status{0, 1});
  on("event bind vcpu of no vcpu", EVTCHNOP_bind_vcpu, evtchn_bind_vcpu{unbound.port, 99});
  on("event pirq", EVTCHNOP_bind_pirq, evtchn_bind_pirq{1, 0, 0});
  on("event fifo nowhere", EVTCHNOP_init_control, evtchn_init_control{~0ULL, 0, 0});
  on("event fifo array", EVTCHNOP_expand_array, evtchn_expand_array{1});
  on("event priority", EVTCHNOP_set_priority, evtchn_set_priority{unbound.port, 1});
  on("event reset of dom0", EVTCHNOP_reset, evtchn_reset{0});
  on("event unknown", 99, evtchn_close{0});
  ask("event nowhere", __HYPERVISOR_event_channel_op, EVTCHNOP_close, nowhere);
}

void grants() {
  constexpr Word op = __HYPERVISOR_grant_table_op;
  gnttab_query_size size{DOMID_SELF, 0, 0, 0};
  ask("grant query size", op, GNTTABOP_query_size, address(&size), 1);
  say("grant query status = ", uint64_t{static_cast<uint16_t>(size.status)});
  tell("grant frames", size.nr_frames);
  tell("grant frames at most", size.max_nr_frames);
  gnttab_get_version version{DOMID_SELF, 0, 99};
  ask("grant get version", op, GNTTABOP_get_version, address(&version), 1);
  tell("grant version", version.version);
  gnttab_set_version set{3};
  ask("grant set version 3", op, GNTTABOP_set_version, address(&set), 1);
  set.version = 2;
  ask("grant set version 2", op, GNTTABOP_set_version, address(&set), 1);
  set.version = 1;
  ask("grant set version 1", op, GNTTABOP_set_version, address(&set), 1);
  gnttab_map_grant_ref map{};
  map.dom = 0x7000;
  map.flags = GNTMAP_host_map;
  map.host_addr = 0xfe702000;
  ask("grant map of nobody", op, GNTTABOP_map_grant_ref, address(&map), 1);
  say("grant map of nobody status = ", uint64_t{static_cast<uint16_t>(map.status)});
  gnttab_query_size dom0{0, 0, 0, 0};
  ask("grant query dom0", op, GNTTABOP_query_size, address(&dom0), 1);
  say("grant query dom0 status = ", uint64_t{static_cast<uint16_t>(dom0.status)});
  ask("grant unknown", op, 99, address(&map), 1);
  ask("grant nowhere", op, GNTTABOP_map_grant_ref, nowhere, 1);
}

void parameters() {
  const auto get = [](const char* name, uint32_t index) {
    xen_hvm_param param{DOMID_SELF, 0, index, 0};
    ask(name, __HYPERVISOR_hvm_op, HVMOP_get_param, address(&param));
    say(name, " not zero = ", uint64_t{param.value != 0});
  };
  get("param store port", HVM_PARAM_STORE_EVTCHN);
  get("param console port", HVM_PARAM_CONSOLE_EVTCHN);
  get("param callback", HVM_PARAM_CALLBACK_IRQ);
  get("param ident pt", HVM_PARAM_IDENT_PT);
  get("param beyond", HVM_NR_PARAMS);
  const auto set = [](const char* name, uint32_t index, uint64_t value) {
    xen_hvm_param param{DOMID_SELF, 0, index, value};
    ask(name, __HYPERVISOR_hvm_op, HVMOP_set_param, address(&param));
  };
  set("param set store frame", HVM_PARAM_STORE_PFN, 1);
  set("param set timer mode", HVM_PARAM_TIMER_MODE, 0);
  set("param set beyond", HVM_NR_PARAMS, 1);
  xen_hvm_param other{0, 0, HVM_PARAM_STORE_PFN, 0};
  ask("param of dom0", __HYPERVISOR_hvm_op, HVMOP_get_param, address(&other));
  ask("hvm unknown", __HYPERVISOR_hvm_op, 99, address(&other));
  ask("hvm nowhere", __HYPERVISOR_hvm_op, HVMOP_get_param, nowhere);
}

void vcpus() {
  constexpr Word op = __HYPERVISOR_vcpu_op;
  vcpu_runstate_info state{};
  ask("vcpu is up", op, VCPUOP_is_up, 0, 0);
  ask("vcpu that there is not", op, VCPUOP_is_up, 99, 0);
  ask("vcpu up again", op, VCPUOP_up, 0, 0);
  ask("vcpu initialise running", op, VCPUOP_initialise, 0, nowhere);
  ask("vcpu runstate", op, VCPUOP_get_runstate_info, 0, address(&state));
  tell("vcpu runstate state", static_cast<uint64_t>(state.state));
  ask("vcpu info beyond page", op, VCPUOP_register_vcpu_info, 0, nowhere);
  ask("vcpu physid", op, VCPUOP_get_physid, 0, address(&state));
  vcpu_set_periodic_timer fast{1};
  ask("vcpu timer too fast", op, VCPUOP_set_periodic_timer, 0, address(&fast));
  ask("vcpu nmi", op, VCPUOP_send_nmi, 99, 0);
  ask("vcpu unknown", op, 99, 0, 0);
}

void others() {
  sched_poll poll{};
  poll.nr_ports = 1000;
  ask("sched poll many", __HYPERVISOR_sched_op, SCHEDOP_poll, address(&poll));
  sched_watchdog dog{9, 1};
  ask("sched watchdog 9", __HYPERVISOR_sched_op, SCHEDOP_watchdog, address(&dog));
  sched_remote_shutdown shutdown{0, 0};
  ask("sched shutdown of dom0", __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, address(&shutdown));
  ask("sched unknown", __HYPERVISOR_sched_op, 99, 0);
  ask("sched nowhere", __HYPERVISOR_sched_op, SCHEDOP_poll, nowhere);
  ask("set timer op", __HYPERVISOR_set_timer_op, 0);
  ask("set trap table", __HYPERVISOR_set_trap_table, 0);
  ask("mmu update", __HYPERVISOR_mmu_update, 0, 0, 0, DOMID_SELF);
  ask("mmuext", __HYPERVISOR_mmuext_op, 0, 0, 0, DOMID_SELF);
  ask("console io", __HYPERVISOR_console_io, 0, 0, 0);
  ask("physdev", __HYPERVISOR_physdev_op, PHYSDEVOP_eoi, 0);
  ask("domctl", __HYPERVISOR_domctl, 0);
  uint32_t current[64] = {1, 0x15};  // with the version of this Xen
  ask("domctl of this version", __HYPERVISOR_domctl, address(current));
  ask("sysctl of this version", __HYPERVISOR_sysctl, address(current));
  ask("domctl nowhere", __HYPERVISOR_domctl, nowhere);
  ask("sysctl", __HYPERVISOR_sysctl, 0);
  ask("platform", __HYPERVISOR_platform_op, 0);
  ask("xsm", __HYPERVISOR_xsm_op, 0);
  ask("vm assist", __HYPERVISOR_vm_assist, 0, 99);
  ask("argo", __HYPERVISOR_argo_op, 0);
  ask("xenpmu", __HYPERVISOR_xenpmu_op, 0, 0);
  ask("dm op", __HYPERVISOR_dm_op, 0, 0, 0);
  ask("hypfs", __HYPERVISOR_hypfs_op, 0, 0, 0, 0, 0);
  ask("multicall of none", __HYPERVISOR_multicall, 0, 0);
  ask("multicall nowhere", __HYPERVISOR_multicall, nowhere, 1);
  ask("number 63", 63);
}

void shared_memory() {
  map_shared_info();
  tell("shared upcall mask", vcpu().evtchn_upcall_mask);
  tell("shared masks", shared().evtchn_mask[0]);
  tell("shared time version odd", vcpu().time.version & 1);
}

}  // namespace

void guest_main() {
  entry();
  start();
  features();
  msrs();
  apic();
  ports();
  versions();
  shared_memory();
  memory();
  events();
  grants();
  parameters();
  vcpus();
  others();
  pass();
}

}  // namespace guest
