// SPDX-License-Identifier: Apache-2.0
// The waist's backend for the bundled hypervisor: hypervisor.elf inside QEMU, as a process of its
// own that outlives this one. Nothing of it needs root or KVM.
//
// Beyond the waist's promises:
//  - A hypervisor that hangs fails a call after 2 s and further calls at once, until it answers
//  again. One that has died
//    (its process ended, or it panicked) fails every call at once and for good; take_events then
//    says hypervisor_gone.
//  - event_bind makes the new port pending once, and its event may be taken before event_bind has
//  returned: look at a
//    freshly bound port's ring once without waiting for an event.
//  - Mappings keep the RAM mapped and outlive this object.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "hypervisor-iface/hypervisor.hpp"

namespace xl::hv::bundled {

struct Options {
  std::string runtime_dir;       // made if missing (0700); state file, lock, doorbell, QEMU's log
  std::string qemu;              // empty: $XL_QEMU, else qemu-system-x86_64 in PATH
  std::string hypervisor_image;  // empty: beside this program's build or installation
  std::optional<Bytes> memory;   // RAM of the machine, sparse; nothing: 3/4 of this host's
  unsigned cpus = 0;             // 0: as many as this process may run on
  std::chrono::milliseconds start_timeout{10000};
  std::chrono::milliseconds request_timeout{2000};
  std::chrono::microseconds spin{50};  // docs/adr/0030
  std::function<void(const std::string&)>
      note;  // what start() found and did, for a log; may be empty
};

class BundledHypervisor final : public Hypervisor {
 public:
  // Attaches to the hypervisor that an earlier daemon left in this runtime directory, whenever that
  // was killed: what it had asked for is done first; then what it had mapped of grants ends, all
  // bound ports become pending, and shutdowns are reported again. Memory and CPUs are then those of
  // the running one.
  // If none runs, starts QEMU and waits until the hypervisor is ready. The same after one that
  // panicked or that never got ready, which has no domains to lose and is ended.
  // busy: another living daemon uses the directory. hypervisor_gone, timeout: one runs and does not
  // answer; protocol: it is of another version; permission_denied: the kernel does not let this
  // user at its memory. None of these ends it; the error says how to.
  static Result<std::unique_ptr<BundledHypervisor>> start(const Options& options);
  // Leaves the hypervisor running.
  ~BundledHypervisor() override;
  BundledHypervisor(const BundledHypervisor&) = delete;
  BundledHypervisor& operator=(const BundledHypervisor&) = delete;

  // Ends the hypervisor with all its domains; returns when its process is gone. Every call fails
  // from then on.
  void terminate();
  pid_t pid() const;      // QEMU's
  bool attached() const;  // to one that an earlier daemon had started

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
  struct Parts;
  explicit BundledHypervisor(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace xl::hv::bundled
