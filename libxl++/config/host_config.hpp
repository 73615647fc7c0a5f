// SPDX-License-Identifier: Apache-2.0
// xl.conf(5): what holds for all domains of a host, in the grammar of xl.cfg(5). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libxl++/config/cpu_list.hpp"
#include "libxl++/config/diagnostic.hpp"
#include "libxl++/config/domain_config.hpp"
#include "libxl++/config/parse.hpp"

namespace xl::config {

// What an interface has where its specification says nothing; empty: nothing.
struct VifDefaults {
  std::string script;
  std::string bridge;
  std::string gateway_device;
  std::string backend;
  bool operator==(const VifDefaults&) const = default;
};

struct HostConfig {
  CpuSet cpu_mask = CpuSet().set();  // where vcpus may run: vm.cpumask and vm.hvm.cpumask
  VifDefaults vif;
  bool run_hotplug_scripts = true;
  bool claim_mode = true;
  // None: the hypervisor's.
  std::optional<std::uint32_t> max_grant_frames;
  std::optional<std::uint32_t> max_maptrack_frames;
  std::optional<std::uint32_t> max_grant_version;
  std::optional<std::string> blkdev_start;
  bool operator==(const HostConfig&) const = default;
};

struct ParsedHostConfig {
  std::optional<HostConfig> config;  // present if and only if there is no error
  // A warning for each key without effect, or with a value that asks for what is not there.
  std::vector<Diagnostic> diagnostics;
};

ParsedHostConfig parse_host_config(const Source& file);

// Each vcpu's hard affinity keeps what the mask leaves of it. Error invalid_config: nothing.
Result<void> restrict_cpus(const HostConfig& host, DomainConfig& domain);
// The same for one set. Error invalid_argument.
Result<CpuSet> restrict_cpus(const HostConfig& host, const CpuSet& set);

}  // namespace xl::config
