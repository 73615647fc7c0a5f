// SPDX-License-Identifier: Apache-2.0
// What a config says of scheduling, told to the hypervisor.
#pragma once

#include "base/error.hpp"
#include "hypervisor-iface/hypervisor.hpp"
#include "libxl++/config/domain_config.hpp"

namespace xl::toolstack {

// Before the domain runs. Asks nothing of the hypervisor when the config has nothing but defaults.
// Errors: invalid_config for a set without any of the host's CPUs.
Result<void> apply_scheduling(hv::Hypervisor& hypervisor, DomId domain,
                              const config::DomainConfig& config);

}  // namespace xl::toolstack
