// SPDX-License-Identifier: Apache-2.0
// What only tests call: history, faults, usage, and the test as the guest.
#include <algorithm>
#include <utility>

#include "hypervisor-iface/fake/fake_state.hpp"

namespace xl::hv::fake {

std::vector<CallRecord> FakeHypervisor::history() const {
  std::lock_guard lock(state_->mutex);
  return state_->history;
}

std::uint64_t FakeHypervisor::calls() const {
  std::lock_guard lock(state_->mutex);
  return state_->numbered;
}

std::uint64_t FakeHypervisor::calls(Call kind) const {
  std::lock_guard lock(state_->mutex);
  return static_cast<std::uint64_t>(
      std::count_if(state_->history.begin(), state_->history.end(),
                    [&](const CallRecord& record) { return record.call == kind; }));
}

void FakeHypervisor::clear_history() {
  std::lock_guard lock(state_->mutex);
  state_->history.clear();
  state_->numbered = 0;
}

Usage FakeHypervisor::usage() const {
  std::lock_guard lock(state_->mutex);
  Usage usage;
  usage.domains = state_->domains.size();
  usage.frames = state_->frames_used();
  usage.domain0_ports = state_->local_ports.size();
  for (const auto& [id, domain] : state_->domains) {
    usage.guest_ports += domain.ports.size();
  }
  usage.mappings = state_->mappings->frames;
  usage.grant_mappings = state_->mappings->grants;
  return usage;
}

void FakeHypervisor::fail_call(std::uint64_t number, ErrorCode code) {
  std::lock_guard lock(state_->mutex);
  state_->faults_by_number[number] = code;
}

void FakeHypervisor::fail_nth(Call kind, std::uint64_t n, ErrorCode code) {
  std::lock_guard lock(state_->mutex);
  state_->faults_by_kind[kind][n] = code;
}

void FakeHypervisor::clear_faults() {
  std::lock_guard lock(state_->mutex);
  state_->faults_by_number.clear();
  state_->faults_by_kind.clear();
}

void FakeHypervisor::set_hook(std::function<void(const CallRecord&)> hook) {
  std::lock_guard lock(state_->mutex);
  state_->hook = std::move(hook);
}

void FakeHypervisor::die() {
  std::lock_guard lock(state_->mutex);
  state_->dead = true;
  state_->wake();
}

void FakeHypervisor::append_log(std::string_view text) {
  std::lock_guard lock(state_->mutex);
  state_->log += text;
}

void FakeHypervisor::set_counters(std::optional<DomId> domain, std::vector<NamedCounter> counters) {
  std::lock_guard lock(state_->mutex);
  state_->counters[domain] = std::move(counters);
}

Result<void> FakeHypervisor::guest_write(DomId id, GuestPhys at, std::span<const std::byte> bytes) {
  return state_->as_guest(id, [&](Domain& domain) { return domain.memory.write(at, bytes); });
}

Result<void> FakeHypervisor::guest_read(DomId id, GuestPhys at, std::span<std::byte> bytes) {
  return state_->as_guest(id, [&](Domain& domain) { return domain.memory.read(at, bytes); });
}

Result<void> FakeHypervisor::guest_notify(DomId id, EventPort guest_port) {
  return state_->as_guest(id, [&](Domain& domain) -> Result<void> {
    auto found = domain.ports.find(guest_port);
    if (found == domain.ports.end()) {
      return fail(ErrorCode::not_found,
                  "the guest has no port " + std::to_string(guest_port.value()));
    }
    if (found->second.local) {
      state_->pending.insert(*found->second.local);
      state_->wake();
    }
    return {};
  });
}

Result<std::vector<EventPort>> FakeHypervisor::guest_take_events(DomId id) {
  return state_->as_guest(id, [&](Domain& domain) -> Result<std::vector<EventPort>> {
    std::vector<EventPort> fired;
    for (auto& [port, guest] : domain.ports) {
      if (guest.pending) {
        guest.pending = false;
        fired.push_back(port);
      }
    }
    return fired;
  });
}

Result<void> FakeHypervisor::guest_shutdown(DomId id, ShutdownReason reason) {
  return state_->as_guest(id, [&](Domain& domain) -> Result<void> {
    if (!domain.shutdown) {
      domain.shutdown = reason;
      state_->changed.insert(id);
      state_->wake();
    }
    return {};
  });
}

Result<void> FakeHypervisor::guest_set_vcpu(DomId id, VcpuId vcpu, bool online) {
  return state_->as_guest(id, [&](Domain& domain) -> Result<void> {
    XL_TRY(state_->check_vcpu(domain, vcpu));
    if (online) {
      domain.vcpus.try_emplace(vcpu);
    } else {
      domain.vcpus.erase(vcpu);
    }
    state_->changed.insert(id);
    state_->wake();
    return {};
  });
}

Result<void> FakeHypervisor::guest_runs_user_mode(DomId id) {
  return state_->as_guest(id, [&](Domain& domain) -> Result<void> {
    if (!std::exchange(domain.user_mode, true)) {
      state_->changed.insert(id);
      state_->wake();
    }
    return {};
  });
}

Result<void> FakeHypervisor::guest_gives_back(DomId id, Pages pages) {
  return state_->as_guest(id, [&](Domain& domain) -> Result<void> {
    domain.give_back(pages);
    return {};
  });
}

Result<void> FakeHypervisor::guest_grant(DomId id, GrantRef ref, Gfn frame, bool read_only) {
  return state_->as_guest(id, [&](Domain& domain) -> Result<void> {
    domain.grants[ref] = {DomId(0), frame, read_only};
    return {};
  });
}

Result<std::vector<GrantSeed>> FakeHypervisor::guest_grants(DomId id) {
  return state_->as_guest(id, [&](Domain& domain) -> Result<std::vector<GrantSeed>> {
    std::vector<GrantSeed> grants;
    for (const auto& [ref, grant] : domain.grants) {
      grants.push_back({ref, grant.frame, grant.peer});
    }
    return grants;
  });
}

Result<std::vector<MemoryMapEntry>> FakeHypervisor::guest_memory_map(DomId id) {
  return state_->as_guest(
      id, [](Domain& domain) -> Result<std::vector<MemoryMapEntry>> { return domain.memory_map; });
}

Result<std::vector<CpuidLeaf>> FakeHypervisor::guest_cpuid_policy(DomId id) {
  return state_->as_guest(
      id, [](Domain& domain) -> Result<std::vector<CpuidLeaf>> { return domain.cpuid; });
}

Result<std::vector<Trigger>> FakeHypervisor::guest_triggers(DomId id) {
  return state_->as_guest(
      id, [](Domain& domain) -> Result<std::vector<Trigger>> { return domain.triggers; });
}

Result<DomainOptions> FakeHypervisor::domain_options(DomId id) {
  return state_->as_guest(id,
                          [](Domain& domain) -> Result<DomainOptions> { return domain.options; });
}

}  // namespace xl::hv::fake
