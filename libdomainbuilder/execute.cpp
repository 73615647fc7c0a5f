// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/build.hpp"  // first: Xen's headers want <cstdint> before them

#include <xen/grant_table.h>
#include <xen/hvm/params.h>

#include <algorithm>
#include <array>

#include "libdomainbuilder/acpi/tables.hpp"
#include "libdomainbuilder/boot/start_info.hpp"
#include "libdomainbuilder/guest_writer.hpp"
#include "libdomainbuilder/image/boot_abi.hpp"
#include "libdomainbuilder/layout/addresses.hpp"
#include "libdomainbuilder/phase_clock.hpp"

namespace xl::build {

namespace {

Result<void> check_cancelled(const std::stop_token& cancel) {
  return cancel.stop_requested() ? fail(ErrorId::cancelled, "the create was cancelled")
                                 : Result<void>();
}

// The smallest extent with all that goes into low RAM: one request maps it.
hv::Extent used_ram(const Prepared& prepared) {
  GuestPhys first{~0ULL};
  GuestPhys last{0};
  for (const Range& range : prepared.layout.ranges) {
    const bool inside = range.kind == RangeKind::kernel || range.kind == RangeKind::initrd ||
                        range.kind == RangeKind::start_info || range.name == "ACPI root pointer";
    if (inside && range.start < hole_start) {
      first = std::min(first, range.start);
      last = std::max(last, range.start + range.size);
    }
  }
  const Gfn gfn = to_gfn(first);
  return {gfn, to_pages_up(last - to_phys(gfn))};
}

Result<void> write_acpi(hv::Hypervisor& hypervisor, DomId domain, const Prepared& prepared,
                        const hv::GuestMapping& ram) {
  const Layout& layout = prepared.layout;
  if (prepared.acpi.empty()) {
    return {};
  }
  if (layout.rsdp != layout.acpi) {
    XL_TRY(ram.write(layout.rsdp, std::span(prepared.acpi).first(acpi::rsdp_size)));
  }
  XL_TRY_ASSIGN(const hv::GuestMapping tables,
                hypervisor.map_frames(
                    domain, {to_gfn(layout.acpi), to_pages_up(Bytes(prepared.acpi.size()))}));
  return tables.write(layout.acpi, prepared.acpi);
}

// Event channels, HVM parameters, grants, memory map, as libxl sets them for a PVH guest. Both
// rings' pages stay zero, which is how an idle ring looks.
Result<void> set_up_platform(hv::Hypervisor& hypervisor, DomId domain, const Prepared& prepared,
                             BuiltDomain& built) {
  const Layout& layout = prepared.layout;
  const BuildRequest& request = prepared.request;
  built.console_frame = layout.console_ring;
  built.xenstore_frame = layout.xenstore_ring;
  XL_TRY_ASSIGN(built.xenstore_port,
                hypervisor.event_alloc_unbound(domain, request.xenstore_domain));
  XL_TRY_ASSIGN(built.console_port, hypervisor.event_alloc_unbound(domain, request.console_domain));
  const std::array params{hv::HvmParam{HVM_PARAM_STORE_PFN, layout.xenstore_ring.value()},
                          hv::HvmParam{HVM_PARAM_STORE_EVTCHN, built.xenstore_port.value()},
                          hv::HvmParam{HVM_PARAM_CONSOLE_PFN, layout.console_ring.value()},
                          hv::HvmParam{HVM_PARAM_CONSOLE_EVTCHN, built.console_port.value()}};
  XL_TRY(hypervisor.set_hvm_params(domain, params));
  const std::array seeds{
      hv::GrantSeed{GrantRef(GNTTAB_RESERVED_CONSOLE), layout.console_ring, request.console_domain},
      hv::GrantSeed{GrantRef(GNTTAB_RESERVED_XENSTORE), layout.xenstore_ring,
                    request.xenstore_domain}};
  XL_TRY(hypervisor.grant_seed(domain, seeds));
  return hypervisor.set_memory_map(domain, layout.memory_map);
}

}  // namespace

Result<BuiltDomain> execute(hv::Hypervisor& hypervisor, DomId domain, const Prepared& prepared,
                            std::stop_token cancel) {
  const Layout& layout = prepared.layout;
  BuiltDomain built;
  built.phases = prepared.phases;
  PhaseClock clock(built.phases);
  XL_TRY(check_cancelled(cancel));
  XL_TRY_DOING(in_phase("populate", hypervisor.populate_physmap(domain, layout.extents)),
               "populating the guest's memory");
  if (!layout.on_demand.empty()) {
    XL_TRY_DOING(in_phase("populate",
                          hypervisor.populate_on_demand(domain, layout.on_demand, layout.target)),
                 "setting the guest's memory aside");
  }
  clock.done("populate");
  XL_TRY_ASSIGN(const hv::GuestMapping ram,
                in_phase("load", hypervisor.map_frames(domain, used_ram(prepared))));
  XL_TRY_DOING(in_phase("load", copy_runs(ram, prepared.image->runs(), cancel)),
               "loading the kernel");
  clock.done("load");
  if (prepared.ramdisk) {
    XL_TRY_DOING(
        in_phase("initrd", read_into_guest(ram, layout.initrd, *prepared.ramdisk,
                                           Bytes(prepared.ramdisk->identity.size), cancel)),
        "loading the ramdisk");
    clock.done("initrd");
  }
  XL_TRY(check_cancelled(cancel));
  XL_TRY(ram.write(layout.start_info, prepared.start_info));
  XL_TRY(write_acpi(hypervisor, domain, prepared, ram));
  XL_TRY_DOING(set_up_platform(hypervisor, domain, prepared, built), "setting up the platform");
  XL_TRY(hypervisor.set_vcpu_context(
      domain, VcpuId(0),
      pvh_entry_context(pvh_entry(prepared.image->report()), layout.start_info)));
  clock.done("platform");
  return built;
}

}  // namespace xl::build
