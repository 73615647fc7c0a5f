// SPDX-License-Identifier: Apache-2.0
// A Hypervisor wholly in memory, for tests of everything above the waist: domains with real,
// zeroed, mapped memory and frame accounting, event channels with an eventfd, grants, shutdown. No
// guest code runs: the test plays the guest.
//
// It remembers every call, can fail at a chosen one (before it has any effect), and counts what is
// in use, so that a test can fail create at every step in turn and see that nothing stayed behind.
// Thread rule: as the waist's; the test's own functions too.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "hypervisor-iface/hypervisor.hpp"

namespace xl::hv::fake {

enum class Call {
  host_info,
  read_log,
  ping,
  power_off,
  create_domain,
  destroy_domain,
  pause,
  unpause,
  domain_info,
  list_domains,
  shutdown_domain,
  resume_domain,
  soft_reset,
  set_max_memory,
  populate_physmap,
  populate_on_demand,
  set_memory_target,
  populated_extents,
  map_frames,
  copy_to_guest,
  copy_from_guest,
  set_memory_map,
  set_hvm_params,
  get_hvm_param,
  set_cpuid_policy,
  get_vcpu_context,
  set_vcpu_context,
  vcpu_info,
  set_vcpu_affinity,
  scheduling,
  set_scheduling,
  send_trigger,
  event_alloc_unbound,
  event_bind,
  event_close,
  event_bindings,
  event_notify,
  grant_seed,
  grant_map,
  counters,
  take_events,  // in the history, but without a number: it comes whenever the event thread wakes
};
std::string_view to_string(Call call);

struct CallRecord {
  Call call;
  DomId domain;         // 0 if the call names none
  bool failed = false;  // with an error, injected or real
};

struct Options {
  Pages memory = Pages(1ULL << 20);  // 4 GiB, sparse
  unsigned cpus = 2;
  std::uint32_t domain0_ports = 4096;
  // Guest memory is handed out in pieces of this size that do not adjoin here, as frames from a
  // real allocator do not.
  Pages piece = Pages(512);
};

// What is in use now. All zero when nothing leaks.
struct Usage {
  std::uint64_t domains = 0;
  std::uint64_t frames = 0;
  std::uint64_t domain0_ports = 0;
  std::uint64_t guest_ports = 0;
  std::uint64_t mappings = 0;        // GuestMapping objects alive, of map_frames
  std::uint64_t grant_mappings = 0;  // the same, of grant_map
  bool operator==(const Usage&) const = default;
};

class FakeHypervisor final : public Hypervisor {
 public:
  explicit FakeHypervisor(Options options = {});
  ~FakeHypervisor() override;
  // The same hypervisor for another daemon: everything is shared, as if this one had been killed.
  std::unique_ptr<FakeHypervisor> attach_again() const;
  FakeHypervisor(const FakeHypervisor&) = delete;
  FakeHypervisor& operator=(const FakeHypervisor&) = delete;

  // --- the test's view ---
  std::vector<CallRecord> history() const;
  std::uint64_t calls() const;  // numbered calls so far
  std::uint64_t calls(Call kind) const;
  void clear_history();  // numbers start again at 1
  Usage usage() const;
  // The call with this number (1 is the first since construction or clear_history) fails, once.
  void fail_call(std::uint64_t number, ErrorCode code = ErrorCode::no_memory);
  // The n-th call of this kind from now on fails, once. n = 1: the next.
  void fail_nth(Call kind, std::uint64_t n = 1, ErrorCode code = ErrorCode::no_memory);
  void clear_faults();
  // Runs before each call, in its thread, without locks held: to block a call at a point, or to act
  // between two calls.
  void set_hook(std::function<void(const CallRecord&)> hook);
  // From now on every call fails with hypervisor_gone and event_fd is readable.
  void die();
  void append_log(std::string_view text);
  void set_counters(std::optional<DomId> domain, std::vector<NamedCounter> counters);

  // --- the test as the guest; not_found if there is no such domain ---
  Result<void> guest_write(DomId domain, GuestPhys at, std::span<const std::byte> bytes);
  Result<void> guest_read(DomId domain, GuestPhys at, std::span<std::byte> bytes);
  // The guest notifies its port; nothing happens on one that is not bound, as in Xen.
  Result<void> guest_notify(DomId domain, EventPort guest_port);
  // Ports that domain 0 notified since the last call, ascending.
  Result<std::vector<EventPort>> guest_take_events(DomId domain);
  Result<void> guest_shutdown(DomId domain, ShutdownReason reason);
  // It takes a vcpu online or offline.
  Result<void> guest_set_vcpu(DomId domain, VcpuId vcpu, bool online);
  // It runs user code.
  Result<void> guest_runs_user_mode(DomId domain);
  // Its balloon driver gives back pages that it never touched.
  Result<void> guest_gives_back(DomId domain, Pages pages);
  Result<void> guest_grant(DomId domain, GrantRef ref, Gfn frame, bool read_only = false);
  // All entries of the domain's grant table, seeded ones included.
  Result<std::vector<GrantSeed>> guest_grants(DomId domain);
  Result<std::vector<MemoryMapEntry>> guest_memory_map(DomId domain);
  Result<std::vector<CpuidLeaf>> guest_cpuid_policy(DomId domain);
  Result<DomainOptions> domain_options(DomId domain);
  Result<std::vector<Trigger>> guest_triggers(DomId domain);  // that were sent so far

  // --- the waist ---
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
  struct State;
  explicit FakeHypervisor(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace xl::hv::fake
