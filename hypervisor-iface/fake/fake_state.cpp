// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/fake/fake_state.hpp"

#include <sys/eventfd.h>

#include <utility>

namespace xl::hv::fake {

std::string_view to_string(Call call) {
  switch (call) {
    case Call::host_info: return "host_info";
    case Call::read_log: return "read_log";
    case Call::ping: return "ping";
    case Call::power_off: return "power_off";
    case Call::create_domain: return "create_domain";
    case Call::destroy_domain: return "destroy_domain";
    case Call::pause: return "pause";
    case Call::unpause: return "unpause";
    case Call::domain_info: return "domain_info";
    case Call::list_domains: return "list_domains";
    case Call::shutdown_domain: return "shutdown_domain";
    case Call::resume_domain: return "resume_domain";
    case Call::soft_reset: return "soft_reset";
    case Call::set_max_memory: return "set_max_memory";
    case Call::populate_physmap: return "populate_physmap";
    case Call::populate_on_demand: return "populate_on_demand";
    case Call::set_memory_target: return "set_memory_target";
    case Call::populated_extents: return "populated_extents";
    case Call::map_frames: return "map_frames";
    case Call::copy_to_guest: return "copy_to_guest";
    case Call::copy_from_guest: return "copy_from_guest";
    case Call::set_memory_map: return "set_memory_map";
    case Call::set_hvm_params: return "set_hvm_params";
    case Call::get_hvm_param: return "get_hvm_param";
    case Call::set_cpuid_policy: return "set_cpuid_policy";
    case Call::get_vcpu_context: return "get_vcpu_context";
    case Call::set_vcpu_context: return "set_vcpu_context";
    case Call::vcpu_info: return "vcpu_info";
    case Call::set_vcpu_affinity: return "set_vcpu_affinity";
    case Call::scheduling: return "scheduling";
    case Call::set_scheduling: return "set_scheduling";
    case Call::send_trigger: return "send_trigger";
    case Call::event_alloc_unbound: return "event_alloc_unbound";
    case Call::event_bind: return "event_bind";
    case Call::event_close: return "event_close";
    case Call::event_bindings: return "event_bindings";
    case Call::event_notify: return "event_notify";
    case Call::grant_seed: return "grant_seed";
    case Call::grant_map: return "grant_map";
    case Call::counters: return "counters";
    case Call::take_events: return "take_events";
  }
  return "?";
}

FakeHypervisor::State::State(Options given)
    : options(given), event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

std::optional<ErrorCode> FakeHypervisor::State::next_fault(Call kind) {
  if (dead && kind != Call::take_events) {
    return ErrorCode::hypervisor_gone;
  }
  std::optional<ErrorCode> fault;
  if (kind != Call::take_events) {
    ++numbered;
    if (auto found = faults_by_number.find(numbered); found != faults_by_number.end()) {
      fault = found->second;
      faults_by_number.erase(found);
    }
  }
  if (auto found = faults_by_kind.find(kind); found != faults_by_kind.end()) {
    std::map<std::uint64_t, ErrorCode> left;
    for (const auto& [n, code] : found->second) {
      if (n == 1) {
        fault = code;
      } else {
        left.emplace(n - 1, code);
      }
    }
    found->second = std::move(left);
  }
  return fault;
}

Result<Domain*> FakeHypervisor::State::find(DomId id) {
  auto found = domains.find(id);
  if (found == domains.end()) {
    return fail(ErrorId::no_such_domain, "there is no domain " + std::to_string(id.value()),
                "`xl list` shows those that there are");
  }
  return &found->second;
}

Result<void> FakeHypervisor::State::check_vcpu(const Domain& domain, VcpuId vcpu) const {
  if (vcpu.value() >= domain.options.max_vcpus) {
    return fail(ErrorCode::invalid_argument, "vcpu " + std::to_string(vcpu.value()) +
                                                 " of a domain with " +
                                                 std::to_string(domain.options.max_vcpus));
  }
  return {};
}

CpuSet FakeHypervisor::State::all_cpus() const {
  CpuSet all;
  for (unsigned cpu = 0; cpu < options.cpus; ++cpu) {
    all.set(cpu);
  }
  return all;
}

CpuSet FakeHypervisor::State::affinity(const std::map<VcpuId, CpuSet>& sets, VcpuId vcpu) const {
  const auto found = sets.find(vcpu);
  return found == sets.end() ? all_cpus() : found->second;
}

DomainInfo FakeHypervisor::State::info_of(DomId id, const Domain& domain) const {
  DomainInfo info;
  info.id = id;
  info.handle = domain.options.handle;
  info.paused = domain.pause_count > 0;
  info.running = !info.paused && !domain.shutdown && !domain.vcpus.empty();
  info.shutdown = domain.shutdown;
  info.memory = domain.memory.populated();
  info.max_memory = domain.max_memory;
  info.on_demand = domain.promised();
  info.user_mode = domain.user_mode;
  info.vcpus_online = static_cast<std::uint32_t>(domain.vcpus.size());
  info.max_vcpus = domain.options.max_vcpus;
  return info;
}

std::uint64_t FakeHypervisor::State::frames_used() const {
  std::uint64_t frames = 0;
  for (const auto& [id, domain] : domains) {
    frames += (domain.memory.populated() + domain.promised()).count();
  }
  return frames;
}

Result<EventPort> FakeHypervisor::State::free_local_port() const {
  for (std::uint32_t port = 1; port < options.domain0_ports; ++port) {
    if (!local_ports.contains(EventPort(port))) {
      return EventPort(port);
    }
  }
  return fail(ErrorCode::limit, "domain 0 has no free event channel");
}

void FakeHypervisor::State::drop_local_port(EventPort local) {
  local_ports.erase(local);
  pending.erase(local);
}

void FakeHypervisor::State::wake() {
  // Cannot fail: the counter is far from its limit, and a full one is readable already.
  (void)::eventfd_write(event.get(), 1);
}

}  // namespace xl::hv::fake
