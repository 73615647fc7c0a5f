// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/adoption.hpp"

#include <cstdint>

// The ABI's headers need the types from there.
#include <xen/hvm/params.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/bits.hpp"
#include "libxl++/toolstack/memory_nodes.hpp"
#include "libxl++/xenstore/path.hpp"

namespace xl::toolstack {
namespace {

class Domains {
 public:
  explicit Domains(std::vector<hv::DomainInfo> all) : left_(std::move(all)) {}

  std::optional<hv::DomainInfo> take(const config::Uuid& handle, std::optional<DomId> id) {
    const auto found = std::find_if(left_.begin(), left_.end(), [&](const hv::DomainInfo& info) {
      return info.handle == handle.octets() && (!id || info.id == *id);
    });
    if (found == left_.end()) {
      return std::nullopt;
    }
    const hv::DomainInfo info = *found;
    left_.erase(found);
    return info;
  }
  std::vector<hv::DomainInfo> rest() { return std::move(left_); }

 private:
  std::vector<hv::DomainInfo> left_;
};

bool is_whole(const Records::Entry& entry) {
  return entry.record.phase == RecordPhase::running || entry.record.phase == RecordPhase::dying;
}

}  // namespace

Adoption plan_adoption(Records::Contents contents, std::vector<hv::DomainInfo> domains) {
  Adoption plan;
  Domains left(std::move(domains));
  const auto unfinished =
      std::stable_partition(contents.entries.begin(), contents.entries.end(), is_whole);
  for (auto entry = contents.entries.begin(); entry != unfinished; ++entry) {
    const auto info = left.take(entry->handle, entry->record.id);
    if (info && entry->record.phase == RecordPhase::running) {
      plan.adopt.push_back({std::move(*entry), *info});
      continue;
    }
    if (info) {
      plan.destroy.push_back(*info);
    }
    plan.forget.push_back(entry->key);
  }
  // A record of these has no id, or that of the domain before.
  for (auto entry = unfinished; entry != contents.entries.end(); ++entry) {
    if (const auto info = left.take(entry->handle, std::nullopt)) {
      plan.destroy.push_back(*info);
    }
    if (entry->record.phase == RecordPhase::restarting) {
      plan.restart.push_back(std::move(*entry));
    } else {
      plan.forget.push_back(entry->key);
    }
  }
  for (const Records::Damaged& damaged : contents.damaged) {
    if (const auto info = left.take(damaged.handle, std::nullopt)) {
      plan.recover.push_back({damaged.key, *info});
    }
  }
  plan.unrecorded = left.rest();
  return plan;
}

Records::Entry recovered_entry(hv::Hypervisor& hypervisor, xenstore::NodeStore& store,
                               const Adoption::Unknown& unknown) {
  const hv::DomainInfo& info = unknown.info;
  const auto param = [&](std::uint32_t index) {
    return hypervisor.get_hvm_param(info.id, index).value_or(0);
  };
  const auto line = [&](std::uint32_t frame, std::uint32_t port) {
    return GuestLine{Gfn(param(frame)), EventPort(static_cast<std::uint32_t>(param(port)))};
  };
  Records::Entry entry;
  entry.key = unknown.key;
  entry.handle = config::Uuid(info.handle);
  Record& record = entry.record;
  record.phase = RecordPhase::running;
  record.id = info.id;
  record.created = std::chrono::system_clock::now();
  record.started = std::chrono::steady_clock::now();
  record.paused = info.paused;
  record.console = line(HVM_PARAM_CONSOLE_PFN, HVM_PARAM_CONSOLE_EVTCHN);
  record.store = line(HVM_PARAM_STORE_PFN, HVM_PARAM_STORE_EVTCHN);
  record.plan.ignore_death = true;
  config::DomainConfig& config = record.plan.config;
  const auto name = store.read(xenstore::domain_path(info.id) + "/name");
  config.name = name && config::check_domain_name(*name)
                    ? *name
                    : "recovered-" + std::to_string(info.id.value());
  config.uuid = entry.handle;
  config.kernel = "/unknown";
  config.memory = std::max(to_bytes(info.memory), config::min_memory);
  config.max_memory = std::max({config.memory, to_bytes(info.max_memory),
                                read_memory(store, info.id, "static-max").value_or(Bytes())});
  config.max_vcpus = std::clamp<std::uint32_t>(info.max_vcpus, 1, config::max_vcpu_count);
  config.vcpus = std::clamp<std::uint32_t>(info.vcpus_online, 1, config.max_vcpus);
  return entry;
}

}  // namespace xl::toolstack
