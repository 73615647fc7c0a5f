// SPDX-License-Identifier: Apache-2.0
// The narrow waist on a real Xen, from its domain 0. A thin adapter: nothing is kept here that Xen
// can tell, but for what it cannot tell without harm (RamRecords, Looks) and what is the same for
// all domains (BootRecords, CpuPolicy).
//
// Not as on the bundled hypervisor: event channels of domain 0 belong to this object, as its
// descriptor does, and go with it; memory is never withdrawn; power_off is not supported. See
// docs/two-hypervisors.md.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "hypervisor-iface/hypervisor.hpp"
#include "hypervisor-iface/xen/boot_records.hpp"
#include "hypervisor-iface/xen/changes.hpp"
#include "hypervisor-iface/xen/cpu_policy.hpp"
#include "hypervisor-iface/xen/event_channels.hpp"
#include "hypervisor-iface/xen/failure.hpp"
#include "hypervisor-iface/xen/handles.hpp"
#include "hypervisor-iface/xen/populated_frames.hpp"
#include "hypervisor-iface/xen/ram_records.hpp"

namespace xl::hv::xen {

class XenHypervisor final : public Hypervisor {
 public:
  static Result<std::unique_ptr<Hypervisor>> open();

  Result<HostInfo> host_info() override;
  Result<LogText> read_log(std::uint64_t from) override;
  Result<void> ping() override;
  Result<void> power_off() override;

  Result<DomId> create_domain(const DomainOptions& options) override;
  Result<void> destroy_domain(DomId domain) override;
  Result<void> pause(DomId domain) override;
  Result<void> unpause(DomId domain) override;
  Result<DomainInfo> domain_info(DomId domain) override;
  Result<std::vector<DomainInfo>> list_domains() override;
  Result<void> shutdown_domain(DomId domain, ShutdownReason reason) override;
  Result<void> resume_domain(DomId domain) override;
  Result<void> soft_reset(DomId domain) override;

  Result<void> set_max_memory(DomId domain, Pages max) override;
  Result<void> populate_physmap(DomId domain, std::span<const Extent> extents) override;
  Result<void> populate_on_demand(DomId domain, std::span<const Extent> extents,
                                  Pages target) override;
  Result<void> set_memory_target(DomId domain, Pages target, Excess excess) override;
  Result<std::vector<Extent>> populated_extents(DomId domain) override;
  Result<GuestMapping> map_frames(DomId domain, Extent extent) override;
  Result<void> copy_to_guest(DomId domain, GuestPhys to, std::span<const std::byte> from) override;
  Result<void> copy_from_guest(DomId domain, GuestPhys from, std::span<std::byte> to) override;
  Result<void> set_memory_map(DomId domain, std::span<const MemoryMapEntry> map) override;

  Result<void> set_hvm_params(DomId domain, std::span<const HvmParam> params) override;
  Result<std::uint64_t> get_hvm_param(DomId domain, std::uint32_t index) override;
  Result<void> set_cpuid_policy(DomId domain, std::span<const CpuidLeaf> leaves) override;

  Result<VcpuContext> get_vcpu_context(DomId domain, VcpuId vcpu) override;
  Result<void> set_vcpu_context(DomId domain, VcpuId vcpu, const VcpuContext& context) override;
  Result<VcpuInfo> vcpu_info(DomId domain, VcpuId vcpu) override;
  Result<void> set_vcpu_affinity(DomId domain, VcpuId vcpu, std::optional<CpuSet> hard,
                                 std::optional<CpuSet> soft) override;
  Result<SchedulingParameters> scheduling(DomId domain) override;
  Result<void> set_scheduling(DomId domain, const SchedulingParameters& parameters) override;
  Result<void> send_trigger(DomId domain, VcpuId vcpu, Trigger trigger) override;

  Result<EventPort> event_alloc_unbound(DomId domain, DomId remote) override;
  Result<EventBinding> event_bind(DomId domain, EventPort remote_port) override;
  Result<void> event_close(EventPort local) override;
  Result<std::vector<HostBinding>> event_bindings() override;
  Result<void> event_notify(EventPort local) override;
  int event_fd() const override;
  Result<Pending> take_events() override;

  Result<void> grant_seed(DomId domain, std::span<const GrantSeed> seeds) override;
  Result<GuestMapping> grant_map(DomId domain, GrantRef ref, bool writable) override;

  Result<std::vector<NamedCounter>> counters(std::optional<DomId> domain) override;

 private:
  struct Host {  // what does not change while Xen runs
    HostInfo info;
    std::uint32_t capabilities = 0;  // XEN_SYSCTL_PHYSCAP_*
    int scheduler = 0;               // XEN_SCHEDULER_*
  };
  struct PodState {  // populate-on-demand, as Xen counts it
    Pages cache;     // set aside
    Pages entries;   // promised and not there yet
  };

  XenHypervisor(std::shared_ptr<Handles> handles, Host host, Changes changes);
  static Result<Host> read_host(const Handles& handles);

  xc_interface* xc() const { return handles_->xc(); }
  Result<xc_domaininfo_t> raw_info(DomId domain) const;
  Result<std::vector<xc_domaininfo_t>> raw_list() const;
  Result<DomainInfo> to_info(const xc_domaininfo_t& raw);
  Result<PodState> pod_state(DomId domain) const;
  Result<void> set_up_domain(DomId domain, const DomainOptions& options);
  // ESRCH for a vcpu that the domain has not, or for no domain at all.
  Unexpected<Error> vcpu_failure(const Listening& listening, DomId domain, VcpuId vcpu,
                                 const std::string& doing) const;

  Result<void> check_overlap(DomId domain, std::span<const Extent> extents) const;
  Result<void> populate(DomId domain, const Extent& extent, unsigned flags, Pages& done);
  Result<void> claim(DomId domain, Pages total) const;
  void withdraw(DomId domain, std::span<const Extent> extents, Pages count);
  Error why_no_memory(DomId domain, Pages wanted) const;
  Result<std::vector<Extent>> probe(DomId domain, std::span<const Extent> extents) const;
  Result<GuestMapping> map_all(DomId domain, Extent extent, int protection) const;
  Result<GuestMapping> map_on_demand(DomId domain, Extent extent);
  Result<bool> is_there(DomId domain, const PodState& pod, Extent extent);
  Result<std::vector<Extent>> look(DomId domain);
  Result<SaveRecord> vcpu_record(DomId domain, VcpuId vcpu, std::uint16_t type) const;
  Result<std::vector<SaveRecord>> other_vcpus(DomId domain, VcpuId but,
                                              const xc_domaininfo_t& raw) const;
  Result<void> read_affinity(DomId domain, VcpuId vcpu, VcpuInfo& info) const;
  Unexpected<Error> grant_failure(DomId domain, GrantRef ref) const;

  std::shared_ptr<Handles> handles_;
  const Host host_;
  RamRecords ram_;
  Looks looks_;
  BootRecords boot_records_;
  CpuPolicy cpu_policy_;
  EventChannels channels_;
  Changes changes_;
};

DomainHandle handle_of(const xc_domaininfo_t& raw);
// "domain 5".
std::string name_of(DomId domain);

}  // namespace xl::hv::xen
