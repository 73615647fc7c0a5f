// SPDX-License-Identifier: Apache-2.0
// What FakeHypervisor holds, and how each of its calls is counted, failed and locked. Private to
// fake/.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "base/unique_fd.hpp"
#include "hypervisor-iface/fake/fake_hypervisor.hpp"
#include "hypervisor-iface/fake/fake_memory.hpp"

namespace xl::hv::fake {

struct GuestPort {
  DomId remote;                    // who may bind it
  std::optional<EventPort> local;  // domain 0's end, once bound
  bool pending = false;            // domain 0 notified it
};

struct GuestGrant {
  DomId peer;
  Gfn frame;
  bool read_only = false;
};

struct Domain {
  DomainOptions options;
  Pages max_memory;
  Memory memory;
  std::uint32_t pause_count = 1;
  std::optional<ShutdownReason> shutdown;
  std::map<std::uint32_t, std::uint64_t> hvm_params;
  std::vector<MemoryMapEntry> memory_map;
  std::vector<CpuidLeaf> cpuid;
  std::map<VcpuId, VcpuContext> vcpus;     // the ones that are online
  std::map<VcpuId, CpuSet> hard_affinity;  // absent: everywhere
  std::map<VcpuId, CpuSet> soft_affinity;
  SchedulingParameters scheduling;
  std::vector<Trigger> triggers;
  std::vector<Extent> on_demand;
  Pages memory_target;
  Pages allowance;  // up to which it gets what was promised; comes down to the target
  bool user_mode = false;
  std::map<EventPort, GuestPort> ports;
  std::map<GrantRef, GuestGrant> grants;

  // --- fake_on_demand.cpp
  Pages promised() const;  // what it may still demand
  // Gives frames to what is on demand there. Errors: no_memory, beyond the target.
  Result<void> touch(Extent wanted, Pages piece);
  void set_target(Pages target, Excess excess);
  // Its balloon driver gives back so many of the pages that it never touched.
  void give_back(Pages count);
};

struct LocalPort {
  DomId domain;
  EventPort remote;
};

struct MappingCounts {  // outlives the hypervisor, as mappings may
  std::atomic<std::uint64_t> frames{0};
  std::atomic<std::uint64_t> grants{0};
};

struct FakeHypervisor::State {
  explicit State(Options given);

  // Runs `body(domain 0 or found domain)` as one recorded call under the lock.
  template <typename Body>
  auto call(Call kind, DomId id, Body body) -> decltype(body()) {
    CallRecord record{kind, id, false};
    std::function<void(const CallRecord&)> before;
    {
      std::lock_guard lock(mutex);
      before = hook;
    }
    if (before) {
      before(record);
    }
    std::lock_guard lock(mutex);
    auto result = [&]() -> decltype(body()) {
      if (std::optional<ErrorCode> fault = next_fault(kind)) {
        return fail(*fault, "injected failure of " + std::string(to_string(kind)));
      }
      return body();
    }();
    record.failed = !result;
    history.push_back(record);
    return result;
  }
  // The same for a call that needs a living domain.
  template <typename Body>
  auto on_domain(Call kind, DomId id, Body body) -> decltype(body(std::declval<Domain&>())) {
    return call(kind, id, [&]() -> decltype(body(std::declval<Domain&>())) {
      XL_TRY_ASSIGN(Domain* const domain, find(id));
      return body(*domain);
    });
  }
  // The test as the guest: not recorded, never failed on purpose.
  template <typename Body>
  auto as_guest(DomId id, Body body) -> decltype(body(std::declval<Domain&>())) {
    std::lock_guard lock(mutex);
    XL_TRY_ASSIGN(Domain* const domain, find(id));
    return body(*domain);
  }

  Result<Domain*> find(DomId id);
  Result<void> check_vcpu(const Domain& domain, VcpuId vcpu) const;
  CpuSet all_cpus() const;
  CpuSet affinity(const std::map<VcpuId, CpuSet>& sets, VcpuId vcpu) const;
  DomainInfo info_of(DomId id, const Domain& domain) const;
  std::uint64_t frames_used() const;
  Result<EventPort> free_local_port() const;
  void drop_local_port(EventPort local);
  void wake();  // makes event_fd readable

  const Options options;
  mutable std::mutex mutex;
  UniqueFd event;

  std::function<void(const CallRecord&)> hook;
  std::vector<CallRecord> history;
  std::uint64_t numbered = 0;
  std::map<std::uint64_t, ErrorCode> faults_by_number;
  std::map<Call, std::map<std::uint64_t, ErrorCode>> faults_by_kind;  // n-th from now on
  bool dead = false;

  std::string log;
  std::map<std::optional<DomId>, std::vector<NamedCounter>> counters;
  std::map<DomId, Domain> domains;
  std::uint16_t next_id = 1;
  std::map<EventPort, LocalPort> local_ports;
  std::set<EventPort> pending;
  std::set<DomId> changed;
  std::shared_ptr<MappingCounts> mappings = std::make_shared<MappingCounts>();

 private:
  std::optional<ErrorCode> next_fault(Call kind);
};

}  // namespace xl::hv::fake
