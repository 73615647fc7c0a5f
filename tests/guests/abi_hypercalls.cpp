// SPDX-License-Identifier: Apache-2.0
// What the other hypercalls answer.
#include "tests/guests/abi.hpp"

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

namespace guest {

void tell_versions() {
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

// What the domain counts as having, more or less than before.
void tell_reservation(const char* fact, Word before) {
  domid_t self = DOMID_SELF;
  const long now = hypercall(__HYPERVISOR_memory_op, XENMEM_current_reservation, address(&self));
  tell(fact, static_cast<Word>(now) - before);
}

void tell_reservations(Word before) {
  constexpr Word op = __HYPERVISOR_memory_op;
  xen_pfn_t gfn = 0xf00;  // RAM in which nothing lies
  xen_memory_reservation one{};
  one.extent_start.p = &gfn;
  one.nr_extents = 1;
  one.domid = DOMID_SELF;
  ask("memory increase", op, XENMEM_increase_reservation, address(&one));
  tell_reservation("memory after increase", before);
  ask("memory populate over RAM", op, XENMEM_populate_physmap, address(&one));
  tell_reservation("memory after populate over RAM", before);
  ask("memory decrease", op, XENMEM_decrease_reservation, address(&one));
  tell_reservation("memory after decrease", before);
  ask("memory populate", op, XENMEM_populate_physmap, address(&one));
  tell_reservation("memory after populate", before);
}

void tell_memory() {
  constexpr Word op = __HYPERVISOR_memory_op;
  domid_t self = DOMID_SELF;
  domid_t other = 0;
  ask("memory current reservation of dom0", op, XENMEM_current_reservation, address(&other));
  ask("memory maximum gpfn of nobody", op, XENMEM_maximum_gpfn, nowhere);
  const long has = hypercall(op, XENMEM_current_reservation, address(&self));
  tell_reservations(static_cast<Word>(has));
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

void tell_grants() {
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

void tell_parameters() {
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

void tell_vcpus() {
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

void tell_others() {
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
  ask("mmuext of dom0", __HYPERVISOR_mmuext_op, 0, 0, 0, 0);
  ask("mmuext of nobody", __HYPERVISOR_mmuext_op, 0, 0, 0, 0x7000);
  ask("mmuext nowhere", __HYPERVISOR_mmuext_op, nowhere, 1, 0, DOMID_SELF);
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
  ask("dm op with buffers", __HYPERVISOR_dm_op, 0, 1, address(current));
  ask("dm op with many buffers", __HYPERVISOR_dm_op, 0, 99, address(current));
  ask("dm op nowhere", __HYPERVISOR_dm_op, 0, 1, nowhere);
  ask("dm op on itself", __HYPERVISOR_dm_op, DOMID_SELF, 1, address(current));
  ask("dm op on nobody without buffers", __HYPERVISOR_dm_op, 0x7000, 0, 0);
  ask("dm op on nobody", __HYPERVISOR_dm_op, 0x7000, 1, address(current));
  ask("hypfs", __HYPERVISOR_hypfs_op, 0, 0, 0, 0, 0);
  ask("multicall of none", __HYPERVISOR_multicall, 0, 0);
  ask("multicall nowhere", __HYPERVISOR_multicall, nowhere, 1);
  ask("number 63", 63);
}

void tell_shared_memory() {
  map_shared_info();
  tell("shared upcall mask", vcpu().evtchn_upcall_mask);
  tell("shared masks", shared().evtchn_mask[0]);
  tell("shared time version odd", vcpu().time.version & 1);
}

}  // namespace guest
