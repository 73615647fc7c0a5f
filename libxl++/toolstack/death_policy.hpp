// SPDX-License-Identifier: Apache-2.0
// What is done when a domain has shut down: on_poweroff and its like, and the brake on domains that
// reboot at once. Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/types.hpp"
#include "hypervisor-iface/hypervisor.hpp"
#include "libxl++/config/domain_config.hpp"

namespace xl::toolstack {

// As the configuration says for the reason; a suspended domain is not dead, it is preserved.
config::ShutdownAction action_for(hv::ShutdownReason reason, const config::DomainConfig& config,
                                  bool ignore_death);

std::string_view to_string(hv::ShutdownReason reason);

// xl waits 2 s before each restart. Here a domain starts at most once in that time, so that one
// which ran for longer restarts at once.
std::chrono::nanoseconds restart_delay(std::chrono::nanoseconds ran_for,
                                       std::chrono::nanoseconds interval);

// What xl puts behind the name of a domain that rename-restart keeps: "-20261122T1605Z".
std::string preserved_suffix(std::chrono::system_clock::time_point now);

// The lines of the hypervisor's log that are about the domain: those with a word dN, dNvM, domN, or
// "domain N".
std::string lines_about(DomId domain, std::string_view log);

// Whether those lines tell of a triple fault, in any hypervisor's words.
bool tells_of_triple_fault(std::string_view lines);

}  // namespace xl::toolstack
