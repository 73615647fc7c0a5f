// SPDX-License-Identifier: Apache-2.0
// The waist: host, domains, memory.
#include "hypervisor-iface/fake/fake_hypervisor.hpp"

#include <algorithm>

#include <xen/xen.h>

#include "hypervisor-iface/fake/fake_state.hpp"
#include "hypervisor/abi/xen_version.hpp"

namespace xl::hv::fake {
namespace {

constexpr std::uint32_t max_vcpus = 128;
constexpr std::size_t max_memory_map_entries = 128;
constexpr Gfn gfn_limit = Gfn(1ULL << 36);  // 48-bit guest physical addresses

Result<void> check_extents(const Memory& memory, std::span<const Extent> extents) {
  std::vector<Extent> sorted(extents.begin(), extents.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const Extent& a, const Extent& b) { return a.first < b.first; });
  Gfn free_from;
  for (const Extent& extent : sorted) {
    Gfn end;
    if (extent.count == Pages(0) || !Gfn::checked_add(extent.first, extent.count, end) ||
        end > gfn_limit || extent.first < free_from || !memory.is_free(extent)) {
      return fail(ErrorCode::invalid_argument,
                  "guest frames from " + std::to_string(extent.first.value()) + ", " +
                      std::to_string(extent.count.count()) +
                      " pages: empty, out of range, or populated before");
    }
    free_from = end;
  }
  return {};
}

}  // namespace

FakeHypervisor::FakeHypervisor(Options options) : state_(std::make_shared<State>(options)) {}
FakeHypervisor::FakeHypervisor(std::shared_ptr<State> state) : state_(std::move(state)) {}
FakeHypervisor::~FakeHypervisor() = default;

std::unique_ptr<FakeHypervisor> FakeHypervisor::attach_again() const {
  {
    std::lock_guard lock(state_->mutex);
    for (const auto& [local, binding] : state_->local_ports) {
      state_->pending.insert(local);  // what the one before had taken and not served
    }
    for (const auto& [id, domain] : state_->domains) {
      if (domain.shutdown) {
        state_->changed.insert(id);
      }
    }
    state_->wake();
  }
  return std::unique_ptr<FakeHypervisor>(new FakeHypervisor(state_));
}

Result<HostInfo> FakeHypervisor::host_info() {
  return state_->call(Call::host_info, DomId(0), [&]() -> Result<HostInfo> {
    HostInfo info;
    info.hypervisor = "fake";
    info.scheduler = info.hypervisor;
    info.version = std::string("4.17") + abi::xen_extra;
    info.capabilities = "hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64";
    info.virt_caps = "hvm hap pvh";
    info.machine = "in memory, " + std::to_string(state_->options.cpus) + " cpus";
    info.cpus = state_->options.cpus;
    info.cpu_khz = 1'000'000;
    info.total_memory = state_->options.memory;
    info.free_memory = state_->options.memory - Pages(state_->frames_used());
    return info;
  });
}

Result<Hypervisor::LogText> FakeHypervisor::read_log(std::uint64_t from) {
  return state_->call(Call::read_log, DomId(0), [&]() -> Result<LogText> {
    const std::string& log = state_->log;
    return LogText{from < log.size() ? log.substr(static_cast<std::size_t>(from)) : "", log.size()};
  });
}

Result<void> FakeHypervisor::ping() {
  return state_->call(Call::ping, DomId(0), []() -> Result<void> { return {}; });
}

Result<void> FakeHypervisor::power_off() {
  return state_->call(Call::power_off, DomId(0), [&]() -> Result<void> {
    state_->domains.clear();
    state_->local_ports.clear();
    state_->pending.clear();
    state_->dead = true;
    state_->wake();
    return {};
  });
}

Result<DomId> FakeHypervisor::create_domain(const DomainOptions& options) {
  return state_->call(Call::create_domain, DomId(0), [&]() -> Result<DomId> {
    if (options.max_vcpus == 0 || options.max_vcpus > max_vcpus) {
      return fail(ErrorCode::invalid_argument, std::to_string(options.max_vcpus) + " vcpus");
    }
    if (state_->domains.size() + 1 >= DOMID_FIRST_RESERVED) {
      return fail(ErrorCode::no_memory, "no free domain id");
    }
    while (state_->next_id == 0 || state_->next_id >= DOMID_FIRST_RESERVED ||
           state_->domains.contains(DomId(state_->next_id))) {
      state_->next_id = state_->next_id >= DOMID_FIRST_RESERVED
                            ? std::uint16_t{1}
                            : static_cast<std::uint16_t>(state_->next_id + 1);
    }
    const DomId id(state_->next_id++);
    Domain& domain = state_->domains[id];
    domain.options = options;
    domain.max_memory = options.max_memory;
    return id;
  });
}

Result<void> FakeHypervisor::destroy_domain(DomId id) {
  return state_->on_domain(Call::destroy_domain, id, [&](Domain& domain) -> Result<void> {
    for (const auto& [port, guest] : domain.ports) {
      if (guest.local) {
        state_->drop_local_port(*guest.local);
      }
    }
    state_->domains.erase(id);
    state_->changed.insert(id);
    state_->wake();
    return {};
  });
}

Result<void> FakeHypervisor::pause(DomId id) {
  return state_->on_domain(Call::pause, id, [](Domain& domain) -> Result<void> {
    ++domain.pause_count;
    return {};
  });
}

Result<void> FakeHypervisor::unpause(DomId id) {
  return state_->on_domain(Call::unpause, id, [](Domain& domain) -> Result<void> {
    if (domain.pause_count == 0) {
      return fail(ErrorCode::invalid_argument, "the domain is not paused");
    }
    --domain.pause_count;
    return {};
  });
}

Result<DomainInfo> FakeHypervisor::domain_info(DomId id) {
  return state_->on_domain(Call::domain_info, id, [&](Domain& domain) -> Result<DomainInfo> {
    return state_->info_of(id, domain);
  });
}

Result<std::vector<DomainInfo>> FakeHypervisor::list_domains() {
  return state_->call(Call::list_domains, DomId(0), [&]() -> Result<std::vector<DomainInfo>> {
    std::vector<DomainInfo> all;
    for (const auto& [id, domain] : state_->domains) {
      all.push_back(state_->info_of(id, domain));
    }
    return all;
  });
}

Result<void> FakeHypervisor::shutdown_domain(DomId id, ShutdownReason reason) {
  return state_->on_domain(Call::shutdown_domain, id, [&](Domain& domain) -> Result<void> {
    if (!domain.shutdown) {
      domain.shutdown = reason;
      state_->changed.insert(id);
      state_->wake();
    }
    return {};
  });
}

Result<void> FakeHypervisor::resume_domain(DomId id) {
  return state_->on_domain(Call::resume_domain, id, [](Domain& domain) -> Result<void> {
    if (!domain.shutdown) {
      return fail(ErrorCode::invalid_argument, "the domain has not shut down");
    }
    domain.shutdown.reset();
    return {};
  });
}

Result<void> FakeHypervisor::soft_reset(DomId id) {
  return state_->on_domain(Call::soft_reset, id, [&](Domain& domain) -> Result<void> {
    if (!domain.shutdown && domain.pause_count == 0) {
      return fail(ErrorCode::invalid_argument, "the domain runs");
    }
    for (const auto& [port, guest] : domain.ports) {
      if (guest.local) {
        state_->drop_local_port(*guest.local);
      }
    }
    domain.ports.clear();
    domain.grants.clear();
    return {};
  });
}

Result<void> FakeHypervisor::set_max_memory(DomId id, Pages max) {
  return state_->on_domain(Call::set_max_memory, id, [&](Domain& domain) -> Result<void> {
    domain.max_memory = max;
    return {};
  });
}

Result<void> FakeHypervisor::populate_physmap(DomId id, std::span<const Extent> extents) {
  return state_->on_domain(Call::populate_physmap, id, [&](Domain& domain) -> Result<void> {
    XL_TRY(check_extents(domain.memory, extents));
    Pages wanted = domain.memory.populated();
    Pages added;
    for (const Extent& extent : extents) {
      added += extent.count;  // each is below gfn_limit and they do not overlap
    }
    wanted += added;
    if (wanted > domain.max_memory) {
      return fail(ErrorCode::no_memory, std::to_string(wanted.count()) +
                                            " pages exceed the domain's maximum of " +
                                            std::to_string(domain.max_memory.count()));
    }
    if (state_->frames_used() + added.count() > state_->options.memory.count()) {
      return fail(ErrorCode::no_memory,
                  "not enough free memory for " + std::to_string(added.count()) + " pages");
    }
    for (const Extent& extent : extents) {
      XL_TRY(domain.memory.add(extent, state_->options.piece));
    }
    return {};
  });
}

Result<void> FakeHypervisor::populate_on_demand(DomId id, std::span<const Extent> extents,
                                                Pages target) {
  return state_->on_domain(Call::populate_on_demand, id, [&](Domain& domain) -> Result<void> {
    XL_TRY(check_extents(domain.memory, extents));
    const std::vector<Extent> before = domain.on_demand;
    const Pages allowed = domain.allowance;
    domain.on_demand.insert(domain.on_demand.end(), extents.begin(), extents.end());
    domain.set_target(target, Excess::withdraw);
    if (state_->frames_used() > state_->options.memory.count()) {
      domain.on_demand = before;
      domain.allowance = allowed;
      return fail(ErrorCode::no_memory, "not enough free memory to promise so much");
    }
    return {};
  });
}

Result<void> FakeHypervisor::set_memory_target(DomId id, Pages target, Excess excess) {
  return state_->on_domain(Call::set_memory_target, id, [&](Domain& domain) -> Result<void> {
    const Pages wanted = domain.memory_target;
    const Pages allowed = domain.allowance;
    domain.set_target(target, excess);
    if (domain.allowance > allowed && state_->frames_used() > state_->options.memory.count()) {
      domain.memory_target = wanted;
      domain.allowance = allowed;
      return fail(ErrorCode::no_memory, "not enough free memory to promise so much");
    }
    return {};
  });
}

Result<std::vector<Extent>> FakeHypervisor::populated_extents(DomId id) {
  return state_->on_domain(
      Call::populated_extents, id,
      [&](Domain& domain) -> Result<std::vector<Extent>> { return domain.memory.extents(); });
}

Result<GuestMapping> FakeHypervisor::map_frames(DomId id, Extent extent) {
  return state_->on_domain(Call::map_frames, id, [&](Domain& domain) -> Result<GuestMapping> {
    auto counts = state_->mappings;
    ++counts->frames;
    std::shared_ptr<void> token(nullptr, [counts](void*) { --counts->frames; });
    XL_TRY(domain.touch(extent, state_->options.piece));
    return domain.memory.map(extent, std::move(token));
  });
}

Result<void> FakeHypervisor::copy_to_guest(DomId id, GuestPhys to,
                                           std::span<const std::byte> from) {
  return state_->on_domain(Call::copy_to_guest, id, [&](Domain& domain) -> Result<void> {
    if (!from.empty()) {
      XL_TRY_ASSIGN(const Extent extent, frames_of(to, from.size()));
      XL_TRY(domain.touch(extent, state_->options.piece));
    }
    return domain.memory.write(to, from);
  });
}

Result<void> FakeHypervisor::copy_from_guest(DomId id, GuestPhys from, std::span<std::byte> to) {
  return state_->on_domain(Call::copy_from_guest, id, [&](Domain& domain) -> Result<void> {
    if (!to.empty()) {
      XL_TRY_ASSIGN(const Extent extent, frames_of(from, to.size()));
      XL_TRY(domain.touch(extent, state_->options.piece));
    }
    return domain.memory.read(from, to);
  });
}

Result<void> FakeHypervisor::set_memory_map(DomId id, std::span<const MemoryMapEntry> map) {
  return state_->on_domain(Call::set_memory_map, id, [&](Domain& domain) -> Result<void> {
    if (map.size() > max_memory_map_entries) {
      return fail(ErrorCode::invalid_argument, std::to_string(map.size()) + " memory map entries");
    }
    domain.memory_map.assign(map.begin(), map.end());
    return {};
  });
}

}  // namespace xl::hv::fake
