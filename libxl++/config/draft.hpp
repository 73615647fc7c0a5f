// SPDX-License-Identifier: Apache-2.0
// Draft: a DomainConfig in the making. The handlers of the keys fill it in, in any order; finish()
// then settles what depends on more than one key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libxl++/config/devices/devices.hpp"
#include "libxl++/config/domain_config.hpp"
#include "libxl++/config/findings.hpp"

namespace xl::config {

// A value and where it was written.
template <typename T>
struct Sited {
  T value;
  Span span;
};

// Sets of CPUs, one for each vcpu, or one for all of them.
struct SitedCpus {
  std::vector<CpuSet> value;
  bool for_all = false;
  Span span;
};

struct Draft {
  explicit Draft(Findings& where) : findings(where) {}

  DomainConfig config;  // what depends on one key only is here at once
  Devices devices;
  Pci pci_defaults;           // pci_*=: what devices of pci= do not say themselves
  bool asks_for_pci = false;  // pci= is not empty

  std::optional<Sited<std::string>> type;
  std::optional<Sited<std::string>> builder;
  std::optional<Sited<bool>> pvh;

  std::optional<Sited<std::string>> cmdline;
  std::optional<Sited<std::string>> root;
  std::optional<Sited<std::string>> extra;

  std::optional<Sited<Bytes>> memory;
  std::optional<Sited<Bytes>> max_memory;
  std::optional<Sited<std::uint32_t>> vcpus;
  std::optional<Sited<std::uint32_t>> max_vcpus;
  std::optional<SitedCpus> cpus;
  std::optional<SitedCpus> cpus_soft;

  Findings& findings;
};

// Completes draft.config from the other members, with xl's defaults.
void finish(Draft& draft);
// Parts of it.
void finish_scheduling(Draft& draft);  // when the number of vcpus is known
void finish_devices(Draft& draft);

}  // namespace xl::config
